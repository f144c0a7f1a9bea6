// `helm template` as helm 4 answers it: its own command line.
package main

import (
	"bytes"
	"os"

	helm "helm.sh/helm/v4/pkg/cmd"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
)

func ask(args []string) (string, error) {
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
	return out.String(), err
}
