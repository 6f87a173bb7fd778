// Comparators and load for `npm run bench`: a TLS upstream, a load generator, and a CONNECT proxy made of Go's
// standard library (http.ReadRequest, Transport.RoundTrip, Response.Write). Standard library only.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: bench upstream|load|proxy [flags]")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "upstream":
		upstream(os.Args[2:])
	case "load":
		load(os.Args[2:])
	case "proxy":
		proxy(os.Args[2:])
	default:
		os.Exit(2)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
