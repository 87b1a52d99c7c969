package handlers

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"snug/wire"
)

// document is as much of openapi.json as the tests look at.
type document struct {
	OpenAPI    string
	Info       struct{ Title, Version string }
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas map[string]struct {
			Type       string
			Required   []string
			Properties map[string]json.RawMessage
		}
	}
}

func readDocument(t *testing.T) document {
	t.Helper()
	_, body := newRelay(t).do("GET", "/openapi.json", "", nil)
	return parse[document](t, body)
}

func TestOpenAPIKnowsEveryRoute(t *testing.T) {
	doc := readDocument(t)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("got %q %+v", doc.OpenAPI, doc.Info)
	}
	described := map[string]bool{}
	ids := map[string]bool{}
	param := regexp.MustCompile(`\{(\w+)\}`)
	for path, item := range doc.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			described[strings.ToUpper(method)+" "+param.ReplaceAllString(path, ":$1")] = true
			op := parse[struct {
				OperationID, Summary string
				Responses            map[string]any
			}](t, raw)
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Responses) == 0 {
				t.Errorf("%s %s: incomplete: %+v", method, path, op)
			}
			ids[op.OperationID] = true
		}
		for _, name := range param.FindAllStringSubmatch(path, -1) {
			if !strings.Contains(string(item["parameters"]), `"`+name[1]+`"`) && !strings.Contains(string(item["parameters"]), "/parameters/"+name[1]) {
				t.Errorf("%s: parameter %s is not described", path, name[1])
			}
		}
	}
	for _, route := range newRelay(t).server.echo.Routes() {
		name := route.Method + " " + route.Path
		if !described[name] {
			t.Errorf("route %s is not in openapi.json", name)
		}
		delete(described, name)
	}
	for name := range described {
		t.Errorf("openapi.json describes %s, which is no route", name)
	}
}

func TestOpenAPIReferencesResolve(t *testing.T) {
	var root any
	if err := json.Unmarshal(description, &root); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
				at := root
				for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := at.(map[string]any)
					at = m[part]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(root)
	for kind, of := range root.(map[string]any)["components"].(map[string]any) {
		for name := range of.(map[string]any) {
			events := map[string]bool{"Hello": true, "CheckPiece": true, "HB": true, "Bye": true} // inside a stream, where no schema reaches
			if ref := "#/components/" + kind + "/" + name; !used[ref] && kind != "securitySchemes" && !events[name] {
				t.Errorf("%s is used by nothing", ref)
			}
		}
	}
}

// TestOpenAPISchemasAreTheTypes holds each schema to the fields of its type of the same name in wire.
func TestOpenAPISchemasAreTheTypes(t *testing.T) {
	schemas := readDocument(t).Components.Schemas
	types := []any{
		wire.JoinRequest{}, wire.Joined{}, wire.Member{}, wire.Roster{}, wire.Posted{}, wire.Owed{}, wire.AckRequest{}, wire.KnockRequest{},
		wire.KnockAnswers{}, wire.Polled{}, wire.Msg{}, wire.Left{}, wire.Gap{}, wire.Knock{}, wire.Acked{}, wire.Hello{}, wire.HB{},
		wire.Bye{}, wire.Limits{}, wire.OK{}, wire.Origin{}, wire.CheckEcho{}, wire.CheckPosted{}, wire.CheckPiece{}, wire.Error{},
	}
	held := map[string]bool{}
	for _, v := range types {
		typ := reflect.TypeOf(v)
		schema := schemas[typ.Name()]
		held[typ.Name()] = true
		for field := range typ.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if _, ok := schema.Properties[name]; !ok {
				t.Errorf("%s lacks %s", typ.Name(), name)
			}
			if required := strings.Contains(" "+strings.Join(schema.Required, " ")+" ", " "+name+" "); required == strings.Contains(options, "omitempty") {
				t.Errorf("%s: %s: required is %v, the tag says %q", typ.Name(), name, required, options)
			}
			delete(schema.Properties, name)
		}
		for name := range schema.Properties {
			t.Errorf("%s has %s, which the type lacks", typ.Name(), name)
		}
	}
	for name, s := range schemas {
		if s.Type == "object" && !held[name] {
			t.Errorf("%s is held to no type", name)
		}
	}
}
