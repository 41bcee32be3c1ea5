// Hands each request to Handle of the package function, by the contract of OpenFaaS' golang-middleware.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"handler/function"
)

const stillTaking = 2 * time.Second

// answer tells what a response has sent so far.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(data []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(data)
}

// Flush sends what is there, for handlers that stream.
func (a *answer) Flush() {
	a.begun = true
	if flusher, ok := a.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

// serve calls the function; a panic belongs into the log and not to the caller.
func serve(w http.ResponseWriter, r *http.Request) {
	a := &answer{ResponseWriter: w}
	defer func() {
		trouble := recover()
		if trouble == nil {
			return
		}
		if err, ok := trouble.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(trouble)
		}
		log.Printf("the function panicked: %v\n%s", trouble, debug.Stack())
		if a.begun {
			panic(http.ErrAbortHandler) // what was sent cannot be taken back, but it must not look whole
		}
		for name := range w.Header() {
			w.Header().Del(name)
		}
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	}()
	function.Handle(a, r)
}

func health(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "OK\n")
}

func main() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/_/health", "/_/ready":
			health(w, r)
		default:
			serve(w, r)
		}
	})
	// Longer than the gateway keeps an idle connection, so that it is not closed under a call that is on its way.
	server := &http.Server{
		Addr: ":8080", Handler: handler, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 3 * time.Minute,
	}
	leaving := make(chan os.Signal, 1)
	signal.Notify(leaving, syscall.SIGTERM, os.Interrupt)
	left := make(chan struct{})
	go func() {
		<-leaving
		// For a moment new calls are still taken, until every gateway knows that this replica goes.
		server.SetKeepAlivesEnabled(false)
		time.Sleep(stillTaking)
		if err := server.Shutdown(context.Background()); err != nil {
			log.Print(err)
		}
		close(left)
	}()
	log.Print("listening on port 8080")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-left
}
