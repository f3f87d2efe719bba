package httpapi

import (
	"context"

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

func (a *API) login(ctx context.Context, in *loginInput) (*reply[tokensBody], error) {
	t, err := a.Services.Auth.Login(ctx, identity.Credentials{Username: in.Body.Username, Password: in.Body.Password, Remote: exchangeOf(ctx).remote})
	return tokens(t), err
}

func (a *API) refresh(ctx context.Context, in *refreshInput) (*reply[tokensBody], error) {
	t, err := a.Services.Auth.Refresh(ctx, in.Body.RefreshToken)
	return tokens(t), err
}

func (a *API) logout(ctx context.Context, _ *struct{}) (*nothing, error) {
	return nil, a.Services.Auth.Logout(ctx, exchangeOf(ctx).claims)
}

func tokens(t identity.Tokens) *reply[tokensBody] {
	return &reply[tokensBody]{Body: tokensBody{
		AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: "Bearer", ExpiresIn: int64(t.ExpiresIn.Seconds()),
	}}
}
