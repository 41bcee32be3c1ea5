package function

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const largest = 1_000_000_000

// Handle tells the smallest factor of the number in the path, or that it is a prime.
func Handle(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
	if err != nil || number < 2 || number > largest {
		http.Error(w, fmt.Sprintf("Name a number from 2 to %d in the path", largest), http.StatusBadRequest)
		return
	}
	if factor := smallestFactor(number); factor < number {
		fmt.Fprintf(w, "%d is divisible by %d\n", number, factor)
		return
	}
	fmt.Fprintf(w, "%d is a prime\n", number)
}

func smallestFactor(number int) int {
	for factor := 2; factor*factor <= number; factor++ {
		if number%factor == 0 {
			return factor
		}
	}
	return number
}
