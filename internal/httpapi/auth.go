package httpapi

import (
	"context"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/identity"
)

type loginInput struct {
	Body struct {
		Username string `json:"username" minLength:"1" maxLength:"200"`
		Password string `json:"password" minLength:"1" maxLength:"1024" format:"password"`
	}
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"1024"`
	}
}

type tokensBody struct {
	AccessToken  string `json:"access_token" doc:"JWT for the Authorization header"`
	RefreshToken string `json:"refresh_token" doc:"Good once, at /v1/auth/refresh"`
	TokenType    string `json:"token_type" enum:"Bearer"`
	ExpiresIn    int64  `json:"expires_in" doc:"Seconds until the access token expires"`
}

type nothing struct{}

func (a *API) login(ctx context.Context, in *loginInput) (*httpkit.Reply[tokensBody], error) {
	t, err := a.Services.Auth.Login(ctx, identity.Credentials{
		Username: in.Body.Username, Password: in.Body.Password, Remote: httpkit.StateOf(ctx).Remote,
	})
	return tokens(t), err
}

func (a *API) refresh(ctx context.Context, in *refreshInput) (*httpkit.Reply[tokensBody], error) {
	t, err := a.Services.Auth.Refresh(ctx, in.Body.RefreshToken)
	return tokens(t), err
}

func (a *API) logout(ctx context.Context, _ *struct{}) (*nothing, error) {
	return nil, a.Services.Auth.Logout(ctx, claimsOf(ctx))
}

func tokens(t identity.Tokens) *httpkit.Reply[tokensBody] {
	return &httpkit.Reply[tokensBody]{Body: tokensBody{
		AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: "Bearer", ExpiresIn: int64(t.ExpiresIn.Seconds()),
	}}
}

// authenticate checks an access token for httpkit.
func (a *API) authenticate(ctx context.Context, token string) (httpkit.Caller, error) {
	principal, claims, err := a.Services.Auth.Authenticate(ctx, token)
	return httpkit.Caller{Principal: principal, Token: claims}, err
}

// claimsOf returns the claims of the token that came with the request.
func claimsOf(ctx context.Context) identity.Claims {
	claims, _ := httpkit.StateOf(ctx).Caller.Token.(identity.Claims)
	return claims
}

// orgOf returns the organisation of the caller.
func orgOf(ctx context.Context) firemode.OrgID { return httpkit.StateOf(ctx).Caller.Principal.Org }
