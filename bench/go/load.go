package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type options struct {
	target, via, auth string
	config            *tls.Config
}

// load makes requests for a while and prints what came of it as JSON.
func load(args []string) {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	mode := flags.String("mode", "small", "small, post, big, events, connections, http2")
	target := flags.String("target", "", "host:port")
	via := flags.String("via", "", "proxy's host:port, or empty")
	auth := flags.String("auth", "", "user:password for the proxy")
	ca := flags.String("ca", "", "roots")
	count := flags.Int("connections", 1, "connections, or streams")
	duration := flags.Duration("for", time.Second, "how long")
	size := flags.Int64("size", 0, "bytes, or events")
	check(flags.Parse(args))
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(*ca)
	check(err)
	roots.AppendCertsFromPEM(pem)
	host, _, _ := net.SplitHostPort(*target)
	config := &tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	o := options{*target, *via, *auth, config}
	var result map[string]any
	switch *mode {
	case "big":
		result = o.big(*size)
	case "events":
		result = o.events(int(*size))
	case "connections":
		result = o.connections(*count, *duration)
	case "http2":
		result = o.http2(*count, *duration)
	case "post":
		body := bytes.Repeat([]byte("x"), 64*1024)
		head := fmt.Sprintf("POST /v1/things HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nAccept: */*\r\n\r\n", *target, len(body))
		result = o.repeat(append([]byte(head), body...), *count, *duration)
	default:
		request := fmt.Sprintf("GET /v1/things?page=1 HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench/1\r\nAccept: application/json\r\nAuthorization: Bearer phantom-value-of-usual-length\r\n\r\n", *target)
		result = o.repeat([]byte(request), *count, *duration)
	}
	check(json.NewEncoder(os.Stdout).Encode(result))
}

func (o options) dial() (*tls.Conn, error) {
	address := o.target
	if o.via != "" {
		address = o.via
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if o.via != "" && o.auth != "-" {
		fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", o.target, o.target)
		if o.auth != "" {
			fmt.Fprintf(conn, "Proxy-Authorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(o.auth)))
		}
		io.WriteString(conn, "\r\n")
		reader := bufio.NewReaderSize(conn, 1)
		status, err := reader.ReadString('\n')
		if err != nil || !strings.Contains(status, " 200 ") {
			conn.Close()
			return nil, fmt.Errorf("the proxy answered %q", status)
		}
		for line := status; line != "\r\n"; {
			if line, err = reader.ReadString('\n'); err != nil {
				return nil, err
			}
		}
	}
	secure := tls.Client(conn, o.config)
	if err := secure.Handshake(); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// head reads a response's head and returns its content length (-1 when chunked).
func head(reader *bufio.Reader) (int64, error) {
	status, err := reader.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(status) < 12 || string(status[9:12]) != "200" {
		rest, _ := reader.Peek(reader.Buffered())
		return 0, fmt.Errorf("unexpected answer %q %q", status, rest)
	}
	length := int64(-1)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			return length, nil
		}
		if len(line) > 16 && (line[0] == 'C' || line[0] == 'c') && strings.EqualFold(string(line[:15]), "content-length:") {
			length, _ = strconv.ParseInt(strings.TrimSpace(string(line[15:])), 10, 64)
		}
	}
}

func exchange(conn *tls.Conn, reader *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	length, err := head(reader)
	if err != nil {
		return err
	}
	if length < 0 {
		// mitmproxy and others may re-frame a small response.
		return fmt.Errorf("the answer has no length")
	}
	_, err = reader.Discard(int(length))
	return err
}

func (o options) repeat(request []byte, count int, duration time.Duration) map[string]any {
	var group sync.WaitGroup
	var failures atomic.Int64
	times := make([][]int64, count)
	conns := make([]*tls.Conn, count)
	for i := range conns {
		conn, err := o.dial()
		check(err)
		conns[i] = conn
		reader := bufio.NewReaderSize(conn, 8192)
		for warm := 0; warm < 3; warm++ {
			check(exchange(conn, reader, request))
		}
	}
	start := time.Now()
	for i := range conns {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			reader := bufio.NewReaderSize(conns[i], 8192)
			for before := time.Now(); before.Sub(start) < duration; {
				if err := exchange(conns[i], reader, request); err != nil {
					failures.Add(1)
					return
				}
				after := time.Now()
				times[i] = append(times[i], after.Sub(before).Nanoseconds())
				before = after
			}
		}(i)
	}
	group.Wait()
	elapsed := time.Since(start)
	var all []int64
	for _, some := range times {
		all = append(all, some...)
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	return map[string]any{"requests": len(all), "perSecond": float64(len(all)) / elapsed.Seconds(), "p50us": quantile(all, 0.5), "p99us": quantile(all, 0.99), "failures": failures.Load()}
}

func quantile(sorted []int64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(float64(len(sorted)-1)*q)]) / 1000
}

func (o options) big(size int64) map[string]any {
	conn, err := o.dial()
	check(err)
	start := time.Now()
	fmt.Fprintf(conn, "GET /big/%d HTTP/1.1\r\nHost: %s\r\n\r\n", size, o.target)
	reader := bufio.NewReaderSize(conn, 256*1024)
	length, err := head(reader)
	check(err)
	_, err = io.CopyN(io.Discard, reader, length)
	check(err)
	return map[string]any{"megabytesPerSecond": float64(length) / 1e6 / time.Since(start).Seconds()}
}

func (o options) events(count int) map[string]any {
	conn, err := o.dial()
	check(err)
	fmt.Fprintf(conn, "GET /events/%d HTTP/1.1\r\nHost: %s\r\n\r\n", count, o.target)
	reader := bufio.NewReaderSize(conn, 8192)
	_, err = head(reader)
	check(err)
	var delays []int64
	for {
		line, err := reader.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == "0" {
			break
		}
		if strings.HasPrefix(line, "data: ") {
			sent, _ := strconv.ParseInt(strings.TrimSpace(line[6:]), 10, 64)
			delays = append(delays, time.Now().UnixNano()-sent)
		}
	}
	sort.Slice(delays, func(a, b int) bool { return delays[a] < delays[b] })
	return map[string]any{"events": len(delays), "p50us": quantile(delays, 0.5)}
}

func (o options) connections(count int, duration time.Duration) map[string]any {
	request := []byte(fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", o.target))
	var group sync.WaitGroup
	var done, failures atomic.Int64
	start := time.Now()
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Since(start) < duration {
				conn, err := o.dial()
				if err == nil {
					err = exchange(conn, bufio.NewReaderSize(conn, 4096), request)
					conn.NetConn().(*net.TCPConn).SetLinger(0)
					conn.NetConn().Close()
				}
				if err != nil {
					failures.Add(1)
				} else {
					done.Add(1)
				}
			}
		}()
	}
	group.Wait()
	return map[string]any{"perSecond": float64(done.Load()) / time.Since(start).Seconds(), "failures": failures.Load()}
}

func (o options) http2(streams int, duration time.Duration) map[string]any {
	config := o.config.Clone()
	config.NextProtos = []string{"h2"}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	transport := &http.Transport{TLSClientConfig: config, Protocols: protocols}
	if o.via != "" {
		proxyURL := &url.URL{Scheme: "http", Host: o.via}
		if o.auth != "" {
			user, password, _ := strings.Cut(o.auth, ":")
			proxyURL.User = url.UserPassword(user, password)
		}
		transport.Proxy = http.ProxyURL(proxyURL)
	}
	client := &http.Client{Transport: transport}
	once := func() error {
		response, err := client.Get("https://" + o.target + "/v1/things")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		if response.ProtoMajor != 2 || response.StatusCode != 200 {
			return fmt.Errorf("answered %s over %s", response.Status, response.Proto)
		}
		return err
	}
	check(once())
	var group sync.WaitGroup
	var done, failures atomic.Int64
	start := time.Now()
	for i := 0; i < streams; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Since(start) < duration {
				if err := once(); err != nil {
					failures.Add(1)
				} else {
					done.Add(1)
				}
			}
		}()
	}
	group.Wait()
	return map[string]any{"perSecond": float64(done.Load()) / time.Since(start).Seconds(), "failures": failures.Load()}
}
