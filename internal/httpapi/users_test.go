package httpapi

import "testing"

func TestUsers_Scenario(t *testing.T) {
	t.Parallel()
	const ann = `{"user_id":"ann","username":"Ann@a","full_name":"Ann","role":"technician","organisation_id":"a","disabled":false,"created_at":"T"}`
	create := as("admin", "POST", "/v1/users",
		`{"user_id":"ann","username":"Ann@a","full_name":"Ann","role":"technician","password":"battery staple"}`)
	newWorld(t).follow([]step{
		{create, 201, ann, "battery"},
		{create, 201, ann, ""},
		{
			as("admin", "POST", "/v1/users",
				`{"user_id":"ann","username":"Ann@a","full_name":"Ann","role":"technician","password":"another password"}`), 409,
			"", "",
		},
		{
			as("admin", "POST", "/v1/users", `{"username":"ANN@A","role":"owner","password":"battery staple"}`), 409, "",
			"staple",
		},
		{as("manager", "GET", "/v1/users/ann"), 200, ann, "argon2"},
		{
			as("", "POST", "/v1/auth/login", `{"username":"ann@A","password":"battery staple"}`), 200,
			`~"token_type":"Bearer","expires_in":900}`, "staple",
		},
		{as("", "POST", "/v1/auth/login", `{"username":"ann@a","password":"wrong"}`), 401, "~username or password", ""},
		{as("admin", "PATCH", "/v1/users/ann", `{"disabled":true}`), 200, `~"disabled":true`, ""},
		{
			as("", "POST", "/v1/auth/login", `{"username":"ann@a","password":"battery staple"}`), 401, "~username or password",
			"disabled",
		},
		{as("admin", "PATCH", "/v1/users/u-admin", `{"role":"owner"}`), 409, "", ""},
		{as("admin", "GET", "/v1/users/me/audits?limit=1"), 200, `~{"data":[{"audit_log_id":"ID","seq":`, "staple"},
		{as("admin", "GET", "/v1/users/me/audits?limit=1"), 200, `~"action":"user.update","subject":"ann","data":{`, ""},
	})
}
