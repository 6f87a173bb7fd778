package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"os"
	"sync"
)

// proxy intercepts CONNECT and injects a header: what Go's standard library does, without any check, audit or policy.
func proxy(args []string) {
	flags := flag.NewFlagSet("proxy", flag.ExitOnError)
	caOut := flags.String("ca-out", "", "where to write the CA certificate")
	upstreamCA := flags.String("upstream-ca", "", "the upstream's roots")
	check(flags.Parse(args))
	roots := x509.NewCertPool()
	text, err := os.ReadFile(*upstreamCA)
	check(err)
	roots.AppendCertsFromPEM(text)
	ca, caKey := newCA(*caOut)
	leafKey := newKey()
	var leaves sync.Map
	certificateFor := func(host string) *tls.Certificate {
		if known, ok := leaves.Load(host); ok {
			return known.(*tls.Certificate)
		}
		made := newLeaf(ca, caKey, leafKey, host)
		leaves.Store(host, made)
		return made
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(64)},
		MaxIdleConnsPerHost: 256,
		DisableCompression:  true,
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	json.NewEncoder(os.Stdout).Encode(map[string]int{"port": port(listener)})
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return certificateFor(hello.ServerName), nil
	}}
	for {
		conn, err := listener.Accept()
		check(err)
		go intercept(conn, config, transport)
	}
}

func intercept(conn net.Conn, config *tls.Config, transport *http.Transport) {
	defer conn.Close()
	connect, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil || connect.Method != http.MethodConnect {
		return
	}
	conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	client := tls.Server(conn, config)
	reader := bufio.NewReader(client)
	writer := bufio.NewWriter(client)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		request.URL.Scheme, request.URL.Host, request.RequestURI = "https", connect.Host, ""
		request.Header.Set("Authorization", "Bearer the-real-secret-of-usual-length")
		response, err := transport.RoundTrip(request)
		if err != nil {
			return
		}
		err = response.Write(writer)
		response.Body.Close()
		if err != nil || writer.Flush() != nil {
			return
		}
	}
}
