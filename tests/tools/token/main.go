// Command token prints the file /token: the entry point of the images that the end-to-end tests run.
// What it prints was baked into the image's layer, so the line proves which image ran.
package main

import (
	"fmt"
	"os"
)

func main() {
	token, err := os.ReadFile("/token")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(token))
}
