// Answers questions for `helm template` one after another, in one process.
//
// A line on standard input is a list of arguments in JSON: `template`, the release's name, flags, the chart last; a line on
// standard output is what was printed, or why nothing was. How a helm answers stands in a file of its own, `ask`. Does not know what
// is asked.
package main

import (
	"bufio"
	"encoding/json"
	"os"
)

type answer struct {
	Printed *string `json:"printed,omitempty"`
	Refused *string `json:"refused,omitempty"`
}

func main() {
	questions := bufio.NewScanner(os.Stdin)
	questions.Buffer(nil, 1<<26)
	answers := json.NewEncoder(os.Stdout)
	for questions.Scan() {
		var args []string
		if err := json.Unmarshal(questions.Bytes(), &args); err != nil {
			panic(err)
		}
		var said answer
		if printed, err := ask(args); err != nil {
			words := err.Error()
			said.Refused = &words
		} else {
			said.Printed = &printed
		}
		if err := answers.Encode(said); err != nil {
			panic(err)
		}
	}
}
