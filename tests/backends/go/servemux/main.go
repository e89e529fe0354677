// Command servemux: net/http's own routes and files.
package main

import (
	"net/http"

	"backends"
)

func main() {
	mux := http.NewServeMux()
	for route, place := range backends.Places {
		if place != "public" && place != "secret" {
			mux.Handle("GET "+route, backends.Answer(place))
		}
	}
	mux.Handle("GET /admin/", backends.Answer("admin-below"))
	mux.Handle("GET /büro/{name}", backends.Answer("buero-below"))
	mux.Handle("GET /files/", http.FileServer(http.Dir(backends.Files())))
	backends.Serve(mux)
}
