// Answers questions for `helm template` one after another, as helm 3 answers them. Its command line cannot be linked, so this
// is what `cmd/helm/template.go` and `install.go` do, over the same packages.
//
// A line on standard input is a list of arguments in JSON: `template`, the release's name, flags, the chart last; a line on
// standard output is what was printed, or why nothing was. Does not know what is asked.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/getter"
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
		if printed, err := ask(args[1:]); err != nil {
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

func ask(args []string) (string, error) {
	settings := cli.New()
	given := &values.Options{}
	var config action.Configuration
	silent := func(string, ...interface{}) {}
	if err := config.Init(settings.RESTClientGetter(), settings.Namespace(), "", silent); err != nil {
		return "", err
	}
	client := action.NewInstall(&config)
	flags := pflag.NewFlagSet("template", pflag.ContinueOnError)
	namespace := flags.String("namespace", "default", "")
	flags.BoolVar(&client.IncludeCRDs, "include-crds", false, "")
	flags.StringSliceVar(&given.ValueFiles, "values", nil, "")
	if err := flags.Parse(args); err != nil {
		return "", err
	}
	client.DryRunOption = "true"
	client.DryRun = true
	client.Replace = true
	client.ClientOnly = true
	client.Namespace = *namespace
	client.ReleaseName = flags.Arg(0)
	merged, err := given.MergeValues(getter.All(settings))
	if err != nil {
		return "", err
	}
	requested, err := loader.Load(flags.Arg(1))
	if err != nil {
		return "", err
	}
	if kind := requested.Metadata.Type; kind != "" && kind != "application" {
		return "", errors.Errorf("%s charts are not installable", kind)
	}
	if needed := requested.Metadata.Dependencies; needed != nil {
		if err := action.CheckDependencies(requested, needed); err != nil {
			return "", errors.Wrap(err, "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies")
		}
	}
	release, err := client.Run(requested, merged)
	if err != nil {
		if release != nil {
			err = fmt.Errorf("%w\n\nUse --debug flag to render out invalid YAML", err)
		}
		return "", err
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, strings.TrimSpace(release.Manifest))
	for _, hook := range release.Hooks {
		fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
	}
	return out.String(), nil
}
