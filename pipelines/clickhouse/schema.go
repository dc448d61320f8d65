// Package schema is ClickHouse's side as data: tables, views and users.
//
// Tables are made by numbered migrations, which are never edited once released. Views are made anew at every start, so
// that a view is always that of the program that runs.
package schema

import (
	"embed"
	"io/fs"
)

// Database is where everything stands.
const Database = "throughline"

//go:embed migrations views
var files embed.FS

// Migrations are the numbered files, in goose's form.
func Migrations() fs.FS { return sub("migrations") }

// Views are the files of statements that make the views, in the order of their names.
func Views() fs.FS { return sub("views") }

func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the directory is compiled in
	}
	return f
}
