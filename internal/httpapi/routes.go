package httpapi

import (
	"net/http"
	"slices"

	"firemode/internal/httpkit"
	"firemode/internal/identity"
)

// Limits of request bodies, in bytes after decoding.
const (
	jsonLimit       = 8 << 20
	credentialLimit = 64 << 10 // a client without a token gets little memory
	importLimit     = 64 << 20
)

func jsonBody() httpkit.Body { return httpkit.Body{Media: httpkit.MediaJSON, Limit: jsonLimit} }
func credentialBody() httpkit.Body {
	return httpkit.Body{Media: httpkit.MediaJSON, Limit: credentialLimit}
}

// routes returns every endpoint. What the middleware does for a request follows from its entry here.
func (a *API) routes() []httpkit.Route {
	return slices.Concat(
		a.identityRoutes(),
		a.userRoutes(),
		a.ruleRoutes(),
		a.buildingRoutes(),
		a.assetRoutes(),
		a.resultRoutes(),
		a.defectRoutes(),
		a.operationRoutes(),
	)
}

func (a *API) identityRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodPost, Pattern: "/v1/auth/login",
			ID: "login", Tag: "auth",
			Summary: "Exchange username and password for tokens",
			Body:    credentialBody(),
			Serve:   httpkit.Typed(a.login),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/auth/refresh",
			ID: "refresh", Tag: "auth",
			Summary: "Exchange a refresh token for new tokens",
			Body:    credentialBody(), Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.refresh),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/auth/logout",
			ID: "logout", Tag: "auth",
			Summary:    "Revoke the token and everything of the same login",
			Permission: identity.OwnWrite, Status: http.StatusNoContent,
			Serve: httpkit.Typed(a.logout),
		},
	}
}

func (a *API) userRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodGet, Pattern: "/v1/users/me",
			ID: "me", Tag: "users",
			Summary:    "The caller",
			Permission: identity.OwnRead,
			Serve:      httpkit.Typed(a.me),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/users/me/audits",
			ID: "my-audits", Tag: "users",
			Summary:    "What the caller did, newest first",
			Permission: identity.OwnRead,
			Serve:      httpkit.Typed(a.myAudits),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/users/me/password",
			ID: "change-password", Tag: "users",
			Summary:    "Change the own password; all own tokens are void",
			Permission: identity.OwnWrite, Body: credentialBody(), Status: http.StatusNoContent,
			Serve: httpkit.Typed(a.changePassword),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/users",
			ID: "create-user", Tag: "users",
			Summary:    "Add a user",
			Permission: identity.UserWrite, Body: jsonBody(), Once: httpkit.OnceOptional, Status: http.StatusCreated,
			Serve: httpkit.Typed(a.createUser),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/users",
			ID: "list-users", Tag: "users",
			Summary:    "The users of the organisation, oldest first",
			Permission: identity.UserRead,
			Serve:      httpkit.Typed(a.listUsers),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/users/{id}",
			ID: "get-user", Tag: "users",
			Summary:    "A user",
			Permission: identity.UserRead,
			Serve:      httpkit.Typed(a.getUser),
		},
		{
			Method: http.MethodPatch, Pattern: "/v1/users/{id}",
			ID: "patch-user", Tag: "users",
			Summary:    "Change a user",
			Permission: identity.UserWrite, Body: jsonBody(), Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.patchUser),
		},
	}
}

func (a *API) ruleRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodPost, Pattern: "/v1/rules",
			ID: "create-rule", Tag: "rules",
			Summary:    "Add a version of a rule",
			Permission: identity.RuleWrite, Body: jsonBody(), Once: httpkit.OnceOptional, Status: http.StatusCreated,
			Serve: httpkit.Typed(a.createRule),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/rules",
			ID: "list-rules", Tag: "rules",
			Summary:    "The rules in force, by code",
			Permission: identity.RuleRead,
			Serve:      httpkit.Typed(a.listRules),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/rules/{rule_code}",
			ID: "get-rule", Tag: "rules",
			Summary:    "The version of a rule that is in force",
			Permission: identity.RuleRead,
			Serve:      httpkit.Typed(a.getRule),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/rules/{rule_code}/versions",
			ID: "list-rule-versions", Tag: "rules",
			Summary:    "All versions of a rule, newest first",
			Permission: identity.RuleRead,
			Serve:      httpkit.Typed(a.listVersions),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/rules/{rule_code}/versions/{version}",
			ID: "get-rule-version", Tag: "rules",
			Summary:    "One version of a rule",
			Permission: identity.RuleRead,
			Serve:      httpkit.Typed(a.getRuleVersion),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/rules/{rule_code}/versions/{version}/deactivate",
			ID: "deactivate-rule-version", Tag: "rules",
			Summary:    "Stop using a version of a rule",
			Permission: identity.RuleWrite, Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.deactivateRule),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/classify",
			ID: "classify", Tag: "rules",
			Summary:    "Classify what was seen, and record it",
			Permission: identity.Classify, Body: jsonBody(), Once: httpkit.OnceOptional, Critical: true,
			Queue: QueueClassifications,
			Serve: httpkit.Typed(a.classify),
		},
	}
}

func (a *API) buildingRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodPost, Pattern: "/v1/buildings",
			ID: "create-building", Tag: "buildings",
			Summary:    "Add a building",
			Permission: identity.BuildingWrite, Body: jsonBody(), Once: httpkit.OnceOptional, Status: http.StatusCreated,
			Serve: httpkit.Typed(a.createBuilding),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/buildings",
			ID: "list-buildings", Tag: "buildings",
			Summary:    "Buildings, oldest first",
			Permission: identity.BuildingRead,
			Serve:      httpkit.Typed(a.listBuildings),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/buildings/{id}",
			ID: "get-building", Tag: "buildings",
			Summary:    "A building",
			Permission: identity.BuildingRead,
			Serve:      httpkit.Typed(a.getBuilding),
		},
		{
			Method: http.MethodPatch, Pattern: "/v1/buildings/{id}",
			ID: "patch-building", Tag: "buildings",
			Summary:    "Change a building",
			Permission: identity.BuildingWrite, Body: jsonBody(), Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.patchBuilding),
		},
	}
}

func (a *API) assetRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodPost, Pattern: "/v1/buildings/{id}/assets",
			ID: "create-asset", Tag: "assets",
			Summary:    "Add an asset to the register",
			Permission: identity.AssetWrite, Body: jsonBody(), Once: httpkit.OnceOptional, Status: http.StatusCreated,
			Serve: httpkit.Typed(a.createAsset),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/buildings/{id}/assets",
			ID: "list-assets", Tag: "assets",
			Summary:    "The asset register, by id",
			Permission: identity.AssetRead,
			Serve:      httpkit.Typed(a.listAssets),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/buildings/{id}/assets/import",
			ID: "import-assets", Tag: "assets",
			Summary:    "Bring a spreadsheet into the register",
			Permission: identity.AssetWrite, Body: httpkit.Body{Media: mediaCSV, Limit: importLimit, Streamed: true},
			Once:  httpkit.OnceOptional,
			Serve: httpkit.Raw(a.importAssets, documentImport),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/buildings/{id}/assets/export",
			ID: "export-assets", Tag: "assets",
			Summary:    "The register as a spreadsheet",
			Permission: identity.AssetRead, Media: mediaCSV,
			Serve: httpkit.Raw(a.exportAssets, documentExport),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/buildings/{id}/assets/{asset_id}",
			ID: "get-asset", Tag: "assets",
			Summary:    "An asset",
			Permission: identity.AssetRead,
			Serve:      httpkit.Typed(a.getAsset),
		},
		{
			Method: http.MethodPatch, Pattern: "/v1/buildings/{id}/assets/{asset_id}",
			ID: "patch-asset", Tag: "assets",
			Summary:    "Change an asset",
			Permission: identity.AssetWrite, Body: jsonBody(), Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.patchAsset),
		},
		{
			Method: http.MethodPut, Pattern: "/v1/buildings/{id}/assets/{asset_id}/baselines",
			ID: "put-baselines", Tag: "assets",
			Summary:    "Replace the baseline readings of an asset",
			Permission: identity.AssetWrite, Body: jsonBody(), Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.putBaselines),
		},
	}
}

func (a *API) resultRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodPost, Pattern: "/v1/tests/sessions",
			ID: "create-session", Tag: "sessions",
			Summary:    "Plan a service visit, with an item for everything that is due",
			Permission: identity.SessionWrite, Body: jsonBody(), Once: httpkit.OnceOptional, Status: http.StatusCreated,
			Serve: httpkit.Typed(a.createSession),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions",
			ID: "list-sessions", Tag: "sessions",
			Summary:    "Sessions, newest first",
			Permission: identity.SessionRead,
			Serve:      httpkit.Typed(a.listSessions),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}",
			ID: "get-session", Tag: "sessions",
			Summary:    "A session",
			Permission: identity.SessionRead,
			Serve:      httpkit.Typed(a.getSession),
		},
		{
			Method: http.MethodPatch, Pattern: "/v1/tests/sessions/{id}",
			ID: "patch-session", Tag: "sessions",
			Summary:    "Change, complete or reopen a session",
			Permission: identity.SessionWrite, Body: jsonBody(), Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.patchSession),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}/items",
			ID: "list-items", Tag: "sessions",
			Summary:    "What there is to look at, in walking order",
			Permission: identity.SessionRead,
			Serve:      httpkit.Typed(a.listItems),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}/sync_status",
			ID: "sync-status", Tag: "sessions",
			Summary:    "How far the session and its clients are",
			Permission: identity.SessionRead,
			Serve:      httpkit.Typed(a.syncStatus),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}/offline_bundle",
			ID: "offline-bundle", Tag: "sessions",
			Summary:    "Everything a technician needs with no network",
			Permission: identity.BundleRead,
			Serve:      httpkit.Raw(a.offlineBundle, documentBundle),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}/history",
			ID: "read-history", Tag: "results",
			Summary:    "Every change ever made to a path, or the document as of then",
			Permission: identity.ResultRead, Lines: true,
			Serve: httpkit.Raw(a.readHistory, documentHistory),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}/proof",
			ID: "prove-change", Tag: "results",
			Summary:    "Proof of one change, to be checked offline",
			Permission: identity.ResultRead,
			Serve:      httpkit.Raw(a.proveChange, documentProof),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}/consistency",
			ID: "prove-continuation", Tag: "results",
			Summary:    "Proof that nothing was taken out of the log since a checkpoint",
			Permission: identity.ResultRead,
			Serve:      httpkit.Raw(a.proveContinuation, documentContinuation),
		},
		{
			Method: http.MethodPost, Pattern: "/v1/tests/sessions/{id}/results",
			ID: "submit-results", Tag: "results",
			Summary:    "Merge changes into the session",
			Permission: identity.ResultSubmit, Body: jsonBody(), Once: httpkit.OnceOwn, Critical: true,
			Queue: QueueResults, Lines: true,
			Serve: httpkit.Raw(a.submitResults, documentSubmit),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/tests/sessions/{id}/results",
			ID: "read-results", Tag: "results",
			Summary:    "The merged document with its conflicts",
			Permission: identity.ResultRead, Lines: true,
			Serve: httpkit.Raw(a.readResults, documentResults),
		},
	}
}

func (a *API) defectRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodGet, Pattern: "/v1/defects",
			ID: "list-defects", Tag: "defects",
			Summary:    "Defects, oldest first",
			Permission: identity.DefectRead,
			Serve:      httpkit.Typed(a.listDefects),
		},
		{
			Method: http.MethodGet, Pattern: "/v1/defects/{id}",
			ID: "get-defect", Tag: "defects",
			Summary:    "A defect with every classification it had",
			Permission: identity.DefectRead,
			Serve:      httpkit.Typed(a.getDefect),
		},
		{
			Method: http.MethodPatch, Pattern: "/v1/defects/{id}",
			ID: "patch-defect", Tag: "defects",
			Summary:    "Move a defect on",
			Permission: identity.DefectWrite, Body: jsonBody(), Once: httpkit.OnceOptional,
			Serve: httpkit.Typed(a.patchDefect),
		},
	}
}

func (a *API) operationRoutes() []httpkit.Route {
	return []httpkit.Route{
		{
			Method: http.MethodGet, Pattern: "/health",
			ID: "health", Tag: "health",
			Summary: "Readiness, part by part",
			Quiet:   true,
			Serve:   httpkit.Typed(a.health.Ready),
		},
		{
			Method: http.MethodGet, Pattern: "/health/live",
			ID: "live", Tag: "health",
			Summary: "The process answers",
			Quiet:   true,
			Serve:   httpkit.Typed(a.health.Live),
		},
		{
			Method: http.MethodGet, Pattern: "/health/ready",
			ID: "ready", Tag: "health",
			Summary: "Readiness, part by part; 503 when something is not",
			Quiet:   true,
			Serve:   httpkit.Typed(a.health.Ready),
		},
		{
			Method: http.MethodGet, Pattern: "/metrics",
			ID: "metrics", Tag: "health",
			Summary: "Prometheus metrics",
			Media:   "text/plain", Quiet: true,
			Serve: httpkit.Raw(a.serveMetrics, httpkit.DocumentText("text/plain")),
		},
		{
			Method: http.MethodGet, Pattern: "/openapi.yaml",
			ID: "openapi-yaml", Tag: "docs",
			Summary: "This description, as YAML",
			Media:   "application/yaml",
			Serve:   httpkit.ServeYAML(),
		},
		{
			Method: http.MethodGet, Pattern: "/openapi.json",
			ID: "openapi-json", Tag: "docs",
			Summary: "This description, as JSON",
			Serve:   httpkit.ServeJSON(),
		},
		{
			Method: http.MethodGet, Pattern: "/docs",
			ID: "docs", Tag: "docs",
			Summary: "This description, for reading",
			Media:   "text/html",
			Serve:   httpkit.ServePage(),
		},
	}
}
