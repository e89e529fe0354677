// Command router: the routes of chi, gin or echo, whichever is named.
package main

import (
	"log"
	"net/http"
	"os"

	"backends"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v4"
)

func main() {
	routers := map[string]func() http.Handler{"chi": chiRouter, "gin": ginRouter, "echo": echoRouter}
	build, known := routers[os.Args[1]]
	if !known {
		log.Fatalf("no router %q", os.Args[1])
	}
	backends.Serve(build())
}

func chiRouter() http.Handler {
	router := chi.NewRouter()
	router.Use(middleware.StripSlashes)
	for route, place := range backends.Places {
		router.Get(route, backends.Answer(place))
	}
	router.Get("/admin/*", backends.Answer("admin-below"))
	return router
}

func ginRouter() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	for route, place := range backends.Places {
		if place != "public" && place != "secret" {
			router.GET(route, gin.WrapF(backends.Answer(place)))
		}
	}
	router.GET("/admin/:name", gin.WrapF(backends.Answer("admin-below")))
	router.Static("/files", backends.Files()+"/files")
	return router
}

func echoRouter() http.Handler {
	router := echo.New()
	for route, place := range backends.Places {
		if place != "public" && place != "secret" {
			router.GET(route, echo.WrapHandler(backends.Answer(place)))
		}
	}
	router.GET("/admin/*", echo.WrapHandler(backends.Answer("admin-below")))
	router.Static("/files", backends.Files()+"/files")
	return router
}
