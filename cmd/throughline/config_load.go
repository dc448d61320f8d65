package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"gopkg.in/yaml.v3"
)

// configVariable names the file where no --config is given.
const configVariable = "THROUGHLINE_CONFIG"

// LoadConfig reads the file at path, at $THROUGHLINE_CONFIG if path is empty, or else gives the default. Every fault is
// reported at once: variables that are not set, unknown keys, values of a wrong type and values that make no sense.
func LoadConfig(path string) (*Config, error) {
	if path == "" {
		path = os.Getenv(configVariable)
	}
	if path == "" {
		c := DefaultConfig()
		return c, c.Validate()
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	c, err := parseConfig(text, os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("configuration %s:\n%w", path, err)
	}
	return c, nil
}

func parseConfig(text []byte, lookup func(string) (string, bool)) (*Config, error) {
	text, err := hideVariables(text)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds more than one document")
	}
	c := settings()
	faults := expandVariables(&document, lookup)
	faults = append(faults, unknownKeys(&document, c)...)
	if err := document.Decode(&c); err != nil {
		var wrongTypes *yaml.TypeError
		if !errors.As(err, &wrongTypes) {
			return nil, errors.Join(append(faults, err)...)
		}
		for _, e := range wrongTypes.Errors {
			faults = append(faults, errors.New(e))
		}
	}
	faults = append(faults, c.Validate())
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &c, nil
}
