package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"ok\":true,\"items\":[1,2,3]}"

// upstream serves HTTP/1.1 by hand, so that it costs little beside what is measured, and HTTP/2 by the library.
func upstream(args []string) {
	flags := flag.NewFlagSet("upstream", flag.ExitOnError)
	caOut := flags.String("ca-out", "", "where to write the roots")
	check(flags.Parse(args))
	ca, caKey := newCA(*caOut)
	pair := *newLeaf(ca, caKey, newKey(), "localhost", "blind.test")
	config := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	one, err := tls.Listen("tcp", "127.0.0.1:0", config)
	check(err)
	two, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, "{\"ok\":true,\"items\":[1,2,3]}")
		})}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
		check(server.ServeTLS(two, "", ""))
	}()
	json.NewEncoder(os.Stdout).Encode(map[string]int{"http1": port(one), "http2": port(two)})
	for {
		conn, err := one.Accept()
		check(err)
		go serve(conn)
	}
}

func port(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

func serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, 64*1024)
	block := make([]byte, 64*1024)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		parts := strings.Split(string(line), " ")
		if len(parts) < 3 {
			return
		}
		path := parts[1]
		length := 0
		for {
			field, err := reader.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(field) <= 2 {
				break
			}
			if len(field) > 16 && strings.EqualFold(string(field[:15]), "content-length:") {
				length, _ = strconv.Atoi(strings.TrimSpace(string(field[15:])))
			}
		}
		if length > 0 {
			if _, err := io.CopyN(io.Discard, reader, int64(length)); err != nil {
				return
			}
		}
		switch {
		case strings.HasPrefix(path, "/big/"):
			size, _ := strconv.ParseInt(path[5:], 10, 64)
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size)
			for size > 0 {
				n := int64(len(block))
				if n > size {
					n = size
				}
				if _, err := conn.Write(block[:n]); err != nil {
					return
				}
				size -= n
			}
		case strings.HasPrefix(path, "/events/"):
			count, _ := strconv.Atoi(path[8:])
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
			for i := 0; i < count; i++ {
				time.Sleep(2 * time.Millisecond)
				event := fmt.Sprintf("data: %d\n\n", time.Now().UnixNano())
				fmt.Fprintf(conn, "%x\r\n%s\r\n", len(event), event)
			}
			io.WriteString(conn, "0\r\n\r\n")
		default:
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
	}
}
