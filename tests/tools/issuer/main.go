// Command issuer stands in for every OIDC issuer that a program is led to by HTTPS_PROXY: it answers CONNECT itself,
// as whatever host was asked for, with a certificate of its own authority. So a Fulcio on loopback issues certificates
// for `https://gitlab.com`, and nothing leaves the machine. `POST /sign` makes a token of the claims in the body.
//
// It writes its authority to FOLDER/issuer-ca.pem; the first line that it prints is its address.
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"
)

const keyID = "lab"

var key, keyError = rsa.GenerateKey(rand.Reader, 2048)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: issuer ADDRESS:PORT FOLDER (port 0: any free one)")
	}
	if keyError != nil {
		log.Fatal(keyError)
	}
	authority, err := newAuthority(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			authority.answer(w, r.Host)
		case r.Method == http.MethodPost && r.URL.Path == "/sign":
			sign(w, r)
		default:
			http.NotFound(w, r)
		}
	})))
}

// discovery is the issuer itself, as the host that it was asked for.
func discovery(w http.ResponseWriter, r *http.Request) {
	issuer := "https://" + r.Host
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		write(w, map[string]any{
			"issuer":                                issuer,
			"jwks_uri":                              issuer + "/jwks",
			"authorization_endpoint":                issuer + "/none",
			"token_endpoint":                        issuer + "/none",
			"response_types_supported":              []string{"id_token"},
			"subject_types_supported":               []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	case "/jwks":
		write(w, map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	default:
		http.NotFound(w, r)
	}
}

func write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		log.Print(err)
	}
}

// sign answers with a JSON web token of the claims in the body, valid from now for five minutes.
func sign(w http.ResponseWriter, r *http.Request) {
	claims := map[string]any{}
	if err := json.NewDecoder(r.Body).Decode(&claims); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now()
	claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Unix(), now.Add(5*time.Minute).Unix()
	body, err := json.Marshal(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","kid":"`+keyID+`","typ":"JWT"}`)) + "." + encode(body)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := io.WriteString(w, signed+"."+encode(signature)); err != nil {
		log.Print(err)
	}
}
