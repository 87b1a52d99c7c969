package client_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"

	"snug/client"
	"snug/client/e2ee"
	"snug/handlers"
	"snug/hub"
)

// A relay in this process, for the examples. Yours is a URL.
func startRelay() (origin string, stop func()) {
	memory := hub.NewMemory(hub.Limits{})
	relay, err := handlers.New(handlers.Config{Hub: memory})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(relay)
	return server.URL, func() {
		server.CloseClientConnections()
		server.Close()
		memory.Close()
	}
}

func ExampleJoin() {
	origin, stop := startRelay()
	defer stop()
	ctx := context.Background()
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		panic(err)
	}
	link := root.Link(origin) // what people pass on

	ann, err := client.Join(ctx, client.Config{Link: link, Alias: "ann"})
	if err != nil {
		panic(err)
	}
	defer ann.Leave(ctx)
	bob, err := client.Join(ctx, client.Config{Link: link, Alias: "bob"})
	if err != nil {
		panic(err)
	}
	defer bob.Leave(ctx)

	letter, err := ann.Send(ctx, "hello")
	if err != nil {
		panic(err)
	}
	for event := range bob.Events(ctx) {
		if event.Kind == client.KindText {
			fmt.Println(event.Alias+":", event.Body)
			break
		}
	}
	posted, err := letter.Posted(ctx)
	fmt.Println(posted.Members, "members", err)
	// Output:
	// ann: hello
	// 2 members <nil>
}

func ExampleSession_SendFile() {
	origin, stop := startRelay()
	defer stop()
	ctx := context.Background()
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		panic(err)
	}
	ann, err := client.Join(ctx, client.Config{Origin: origin, Root: root, Alias: "ann"})
	if err != nil {
		panic(err)
	}
	defer ann.Leave(ctx)
	bob, err := client.Join(ctx, client.Config{Origin: origin, Root: root, Alias: "bob"})
	if err != nil {
		panic(err)
	}
	defer bob.Leave(ctx)

	notes := strings.NewReader("milk, bread") // mostly an *os.File
	parcel, err := ann.SendFile(ctx, client.File{Name: "notes.txt", Type: "text/plain", Size: notes.Size(), Body: notes})
	if err != nil {
		panic(err)
	}
	for event := range bob.Events(ctx) {
		if event.Kind == client.KindFile {
			fmt.Print(event.Alias, " sends ", event.File.Name, ": ")
			err := bob.Fetch(event.File).Copy(ctx, os.Stdout)
			fmt.Println("", err)
			break
		}
	}
	fmt.Println("with everybody:", parcel.Done(ctx))
	// Output:
	// ann sends notes.txt: milk, bread <nil>
	// with everybody: <nil>
}

func ExampleSeal() {
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		panic(err)
	}
	shell := client.ShellOf("https://snug.example", root)
	jwe, err := client.Seal(shell.Key, "disk full") // POST it to shell.URL with shell.Token as Bearer
	if err != nil {
		panic(err)
	}
	text, err := e2ee.OpenJWE(root.Keys().Drop, jwe)
	fmt.Println(string(text), err)
	// Output: disk full <nil>
}
