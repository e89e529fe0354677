// Package backends holds what the Go backends have in common: where they listen, and what each place answers with.
package backends

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

// Places are the routes without a variable part.
var Places = map[string]string{
	"/admin":          "admin",
	"/admin/x":        "admin-x",
	"/files/secret":   "secret",
	"/files/public/x": "public",
	"/report.pdf":     "report",
	"/büro":           "buero",
}

// Answer writes what tells a place.
func Answer(place string) http.HandlerFunc {
	return func(response http.ResponseWriter, _ *http.Request) {
		io.WriteString(response, Marker(place))
	}
}

// Marker tells a place.
func Marker(place string) string { return fmt.Sprintf("marker<%s>", place) }

// Files is the folder with real files.
func Files() string { return os.Getenv("FILES") }

// Address is where to listen.
func Address() string { return "127.0.0.1:" + os.Getenv("PORT") }

// Serve serves HTTP/1.1 and, to those who know beforehand, HTTP/2.
func Serve(handler http.Handler) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := http.Server{Addr: Address(), Handler: handler, Protocols: &protocols, ErrorLog: log.New(io.Discard, "", 0)}
	log.Fatal(server.ListenAndServe())
}
