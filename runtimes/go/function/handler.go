package function

import (
	"fmt"
	"net/http"
)

// Handle answers each call.
func Handle(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "Hello from %s %s\n", r.Method, r.URL.Path)
}
