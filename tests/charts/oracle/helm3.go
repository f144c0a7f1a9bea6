// `helm template` as helm 3 answers it. Its command line cannot be linked, so this is what `cmd/helm/template.go` and `install.go`
// do, over the same packages.
package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/getter"
)

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
	if err := flags.Parse(args[1:]); err != nil {
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
