// Answers questions for `helm template` one after another, as helm 4 answers them: its own command line, in one process.
//
// A line on standard input is a list of arguments in JSON; a line on standard output is what was printed, or why nothing was.
// Does not know what is asked.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"

	helm "helm.sh/helm/v4/pkg/cmd"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
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
		if err := answers.Encode(ask(args)); err != nil {
			panic(err)
		}
	}
}

func ask(args []string) answer {
	var out bytes.Buffer
	// What helm asks of its environment it asks of these.
	os.Args = append([]string{"helm"}, args...)
	cmd, err := helm.NewRootCmd(&out, args, helm.SetupLogging)
	if err == nil {
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		cmd.SilenceErrors = true
		err = cmd.Execute()
	}
	if err != nil {
		words := err.Error()
		return answer{Refused: &words}
	}
	printed := out.String()
	return answer{Printed: &printed}
}
