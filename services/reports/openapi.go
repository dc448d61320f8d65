package reports

import (
	"net/http"
	"strings"

	"github.com/throughline-io/throughline/services/internal/httpserver"
)

type object = map[string]any

// list is GET /api/v1/reports: the names and what they are.
func (a *API) list(w http.ResponseWriter, _ *http.Request) {
	var out []object
	for _, r := range Catalog {
		params := []string{}
		for _, p := range r.Params {
			params = append(params, p.Name)
		}
		out = append(out, object{"name": r.Name, "description": r.Doc, "parameters": params})
	}
	httpserver.WriteJSON(w, http.StatusOK, object{"reports": out})
}

func (a *API) describe(w http.ResponseWriter, _ *http.Request) {
	httpserver.WriteJSON(w, http.StatusOK, OpenAPI())
}

// OpenAPI describes the API, from the same catalogue that answers.
func OpenAPI() object {
	paths := object{"/api/v1/reports": object{"get": object{
		"summary": "the reports that there are", "operationId": "list", "security": []any{},
		"responses": object{"200": object{"description": "names, descriptions and parameters", "content": object{"application/json": object{"schema": object{"type": "object"}}}}},
	}}}
	for _, r := range Catalog {
		paths["/api/v1/reports/"+r.Name] = object{"get": operation(r)}
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Throughline reports", "version": "1",
			"description": "Reports of one workspace, read with one of its report keys. Decimals are strings. X-Throughline-SQL is the statement that was run.",
		},
		"paths":    paths,
		"security": []any{object{"report_key": []any{}}},
		"components": object{
			"securitySchemes": object{"report_key": object{"type": "http", "scheme": "bearer"}},
			"schemas": object{
				"report": object{
					"type": "object", "required": []string{"report", "columns", "rows"},
					"properties": object{
						"report": object{"type": "string"},
						"columns": object{"type": "array", "items": object{
							"type": "object", "required": []string{"name", "type"},
							"properties": object{"name": object{"type": "string"}, "type": object{"type": "string", "description": "ClickHouse's type"}},
						}},
						"rows":        object{"type": "array", "items": object{"type": "array", "items": object{"type": []string{"string", "number", "boolean", "null"}}}},
						"next_offset": object{"type": "integer", "description": "offset of the next page; absent on the last one"},
					},
				},
				"error": object{
					"type": "object", "required": []string{"error"},
					"properties": object{"error": object{
						"type": "object", "required": []string{"code", "message"},
						"properties": object{"code": object{"type": "string"}, "field": object{"type": "string", "description": "the parameter at fault"}, "message": object{"type": "string"}},
					}},
				},
			},
		},
	}
}

func operation(r Report) object {
	params := []any{parameter("workspace", "the key's workspace; may be left out", false, object{"type": "string"})}
	for _, p := range r.Params {
		schema := object{"type": "string"}
		if f := p.format(); f != "" {
			schema["format"] = f
		}
		if p.Enum != nil {
			schema["enum"] = p.Enum
		}
		if p.Default != "" {
			schema["default"] = p.Default
		}
		params = append(params, parameter(p.Name, p.Doc, p.Default == "", schema))
	}
	params = append(params,
		parameter("limit", "rows of a page", false, object{"type": "integer", "minimum": 1, "maximum": MaxLimit, "default": DefaultLimit}),
		parameter("offset", "rows to leave out", false, object{"type": "integer", "minimum": 0, "maximum": maxOffset, "default": 0}))
	responses := object{"200": object{
		"description": "one row is " + strings.TrimSuffix(r.Doc, "."),
		"content": object{
			"application/json": object{"schema": object{"$ref": "#/components/schemas/report"}},
			"text/csv":         object{"schema": object{"type": "string"}},
		},
	}}
	for status, what := range map[string]string{
		"400": "a parameter is not what it must be", "401": "no report key", "403": "the key reads another workspace", "406": "neither JSON nor CSV is accepted",
		"422": "the report needs more than a reader's limits", "503": "ClickHouse does not answer",
	} {
		responses[status] = object{"description": what, "content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/error"}}}}
	}
	if !r.moving {
		responses["304"] = object{"description": "nothing was posted since the answer that If-None-Match names"}
	}
	return object{"summary": r.Doc, "operationId": r.Name, "parameters": params, "responses": responses}
}

func parameter(name, doc string, required bool, schema object) object {
	return object{"name": name, "in": "query", "description": doc, "required": required, "schema": schema}
}
