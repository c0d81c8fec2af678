// Command keys writes what a private Sigstore needs before it starts into a folder: the certificate authority of
// Fulcio (root, intermediate and its key) and the keys of the CT log and of both Rekors. Each log's public key stands
// beside it, as `NAME.pub`.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Fulcio and the CT log take no key without a password.
const password = "lab"

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: keys FOLDER")
	}
	folder := os.Args[1]
	_, rekor2, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	rekor1, ct := newKey(elliptic.P256()), newKey(elliptic.P256())
	write(folder, "rekor2", plain(rekor2), rekor2.Public())
	write(folder, "rekor1", plain(rekor1), rekor1.Public())
	write(folder, "ctlog", encrypted(ct), ct.Public())
	authority(folder)
}

// authority writes a root, and an intermediate that may sign code-signing certificates only.
func authority(folder string) {
	root, intermediate := newKey(elliptic.P384()), newKey(elliptic.P384())
	anchor := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{Organization: []string{"lab"}, CommonName: "fulcio root"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            1,
	}
	issuing := *anchor
	issuing.SerialNumber = big.NewInt(2)
	issuing.Subject.CommonName = "fulcio intermediate"
	issuing.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	issuing.MaxPathLen, issuing.MaxPathLenZero = 0, true

	rootDER, err := x509.CreateCertificate(rand.Reader, anchor, anchor, root.Public(), root)
	check(err)
	parsed, err := x509.ParseCertificate(rootDER)
	check(err)
	issuingDER, err := x509.CreateCertificate(rand.Reader, &issuing, parsed, intermediate.Public(), root)
	check(err)
	top := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER})
	below := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuingDER})
	check(os.WriteFile(filepath.Join(folder, "fulcio-root.pem"), top, 0o600))
	check(os.WriteFile(filepath.Join(folder, "fulcio-chain.pem"), append(below, top...), 0o600))
	write(folder, "fulcio", encrypted(intermediate), intermediate.Public())
}

func newKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	check(err)
	return key
}

func plain(key crypto.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// encrypted is the traditional form: the CT log reads no other.
func encrypted(key *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalECPrivateKey(key)
	check(err)
	block, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", der, []byte(password), x509.PEMCipherAES256)
	check(err)
	return pem.EncodeToMemory(block)
}

func write(folder, name string, private []byte, public crypto.PublicKey) {
	der, err := x509.MarshalPKIXPublicKey(public)
	check(err)
	spki := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	check(os.WriteFile(filepath.Join(folder, name+".key"), private, 0o600))
	check(os.WriteFile(filepath.Join(folder, name+".pub"), spki, 0o600))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
