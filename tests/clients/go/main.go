// The client of Go's standard library: main URL prints the statuses without a credential, with one set on the request, with
// one in the URL, and with a wrong one.
package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
)

func main() {
	inURL, err := url.Parse(os.Args[1])
	if err != nil {
		panic(err)
	}
	inURL.User = url.UserPassword("ok", "test")
	for _, ask := range []struct{ url, password string }{
		{os.Args[1], ""}, {os.Args[1], "test"}, {inURL.String(), ""}, {os.Args[1], "wrong"},
	} {
		request, err := http.NewRequest(http.MethodGet, ask.url, nil)
		if err != nil {
			panic(err)
		}
		if ask.password != "" {
			request.SetBasicAuth("ok", ask.password)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		response.Body.Close()
		fmt.Println(response.StatusCode)
	}
}
