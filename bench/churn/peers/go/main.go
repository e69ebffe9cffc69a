// SPDX-License-Identifier: Apache-2.0

// Go's net/http client, for the churn harness: docs/churn_line_protocol.md says how it is spoken to.
//
// It is http.DefaultTransport without a proxy, and with its own resolver. CHURN_GO_IDLE, when it is
// not 0, is the number of idle connections kept per host, of which the default keeps 2.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	client      http.Client
	opened      uint64
	reported    uint64
	outputMutex sync.Mutex
)

func newTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	if idle, _ := strconv.Atoi(os.Getenv("CHURN_GO_IDLE")); idle > 0 {
		transport.MaxIdleConnsPerHost = idle
	}
	if file := os.Getenv("CHURN_CA_FILE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return transport
}

// The body of the 200 that answered, or why there is none.
func get(url string, deadline time.Time) (string, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				atomic.AddUint64(&opened, 1)
			}
		},
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", response.StatusCode)
	}
	return string(body), nil
}

func say(id string, body string, err error) {
	outputMutex.Lock()
	defer outputMutex.Unlock()
	text := fmt.Sprintf("ok %s %s\n", id, body)
	if err != nil {
		text = fmt.Sprintf("fail %s %s\n", id, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if now := atomic.LoadUint64(&opened); now != reported {
		reported = now
		text += fmt.Sprintf("connections %d\n", now)
	}
	os.Stdout.WriteString(text)
}

func main() {
	client.Transport = newTransport()
	url := os.Getenv("CHURN_URL")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) != 3 || words[0] != "get" {
			continue
		}
		microseconds, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			continue
		}
		deadline := time.Now().Add(time.Duration(microseconds) * time.Microsecond)
		go func(id string) {
			body, err := get(url+id, deadline)
			say(id, body, err)
		}(words[1])
	}
}
