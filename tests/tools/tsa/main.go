// Command tsa serves Sigstore's time stamp authority with a key and a chain made at its start. It is
// `timestamp-server serve` without the metrics listener, whose fixed port lets only one run on a machine.
package main

import (
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tsa ADDRESS:PORT")
	}
	host, number, err := net.SplitHostPort(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	port, err := strconv.Atoi(number)
	if err != nil {
		log.Fatal(err)
	}
	viper.Set("timestamp-signer", "memory")
	viper.Set("timestamp-signer-hash", "sha256")
	viper.Set("max-request-body-size", 1<<20)
	limit := 30 * time.Second
	log.Fatal(server.NewRestAPIServer(host, port, []string{"http"}, false, limit, limit).Serve())
}
