// Command image packs the module for registries and pushes it.
//
//	image build  -module target/basic_auth.wasm -version 0.1.0 -revision COMMIT …
//	image push   REGISTRY/NAME:TAG
//	image digest FORM
//
// It needs no Docker daemon. Images, layouts and the talk with the registry are
// go-containerregistry's: the library behind crane, ko and cosign, and the very one
// with which Istio's agent pulls. What it writes, Istio reads by construction.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

const usage = `usage:
  image build -module FILE -version VERSION [-revision COMMIT] [-created SECONDS] [-source URL] [-out DIR]
  image push [-form oci|docker|artifact|all] [-force] [-plain-http] [-module FILE] [-layout DIR] REGISTRY/NAME:TAG
  image digest [-layout DIR] oci|docker|artifact`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "image: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, out io.Writer) error {
	if len(arguments) == 0 {
		return errors.New(usage)
	}
	switch command, rest := arguments[0], arguments[1:]; command {
	case "build":
		return runBuild(rest, out)
	case "push":
		return runPush(ctx, rest, out)
	case "digest":
		return runDigest(rest, out)
	default:
		return fmt.Errorf("there is no command %q\n%s", command, usage)
	}
}

func runBuild(arguments []string, out io.Writer) error {
	flags := newFlags("build")
	module := flags.String("module", "target/basic_auth.wasm", "the module to pack")
	directory := flags.String("out", "target/image", "the folder that gets one OCI layout for each form")
	var about Metadata
	flags.StringVar(&about.Version, "version", "", "the crate's version")
	flags.StringVar(&about.Revision, "revision", "", "the commit that the module was built from")
	flags.Int64Var(&about.Created, "created", 0, "the commit's date in seconds since 1970, so that the same commit gives the same bytes")
	flags.StringVar(&about.Source, "source", "", "the address of the source repository")
	flags.StringVar(&about.Licence, "licence", "Apache-2.0", "the licence, as an SPDX expression")
	flags.StringVar(&about.Description, "description", "", "one line that says what the module is")
	if err := parse(flags, arguments, 0); err != nil {
		return err
	}
	if about.Version == "" {
		return errors.New("an image needs a version: give -version, as `make image` does from Cargo.toml")
	}
	wasm, err := readModule(*module)
	if err != nil {
		return err
	}
	digests, err := writeLayouts(*directory, wasm, about)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-16s %s  sha256:%s\n", "module", *module, fileDigest(wasm))
	for _, form := range forms {
		fmt.Fprintf(out, "%-16s %s  %s\n", form.Title, form.path(*directory), digests[form.Name])
	}
	fmt.Fprintf(out, `
Which of them goes into the sha256 field of a WasmPlugin:
  url: oci://…             the digest of the form you push (a manifest's digest; `+"`make push`"+` prints it again)
  url: http(s)://…         the module's: %s
`, fileDigest(wasm))
	return nil
}

func runPush(ctx context.Context, arguments []string, out io.Writer) error {
	flags := newFlags("push")
	request := pushRequest{}
	flags.StringVar(&request.Layout, "layout", "target/image", "the folder that `image build` wrote")
	flags.StringVar(&request.Module, "module", "target/basic_auth.wasm", "the module that has to be in the image")
	flags.StringVar(&request.Form, "form", "oci", "oci, docker, artifact, or all")
	flags.BoolVar(&request.Force, "force", false, "let the tag move if it names another image now")
	flags.BoolVar(&request.PlainHTTP, "plain-http", false, "speak HTTP to a registry that is neither on loopback nor at a private address")
	if err := parse(flags, arguments, 1); err != nil {
		return err
	}
	request.Reference = flags.Arg(0)
	return push(ctx, request, out)
}

func runDigest(arguments []string, out io.Writer) error {
	flags := newFlags("digest")
	directory := flags.String("layout", "target/image", "the folder that `image build` wrote")
	if err := parse(flags, arguments, 1); err != nil {
		return err
	}
	form, err := formNamed(flags.Arg(0))
	if err != nil {
		return err
	}
	image, err := readLayout(*directory, form)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, digest)
	return nil
}

func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet("image "+command, flag.ContinueOnError)
	// A mistake is told once, by main, with the usage below it.
	flags.SetOutput(io.Discard)
	return flags
}

func parse(flags *flag.FlagSet, arguments []string, operands int) error {
	if err := flags.Parse(arguments); err != nil {
		return fmt.Errorf("%s: %w\n%s", flags.Name(), err, usage)
	}
	if flags.NArg() != operands {
		return fmt.Errorf("%s takes %d argument(s) after its options, not %d: %s\n%s",
			flags.Name(), operands, flags.NArg(), strings.Join(flags.Args(), " "), usage)
	}
	return nil
}
