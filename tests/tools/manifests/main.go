// Command manifests reads one document a line, in base64, as the clients of registries do: with encoding/json into
// the structures of the image specification. For each it writes a line of JSON with what it found.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"log"
	"os"
)

type platform struct {
	Architecture string   `json:"architecture"`
	OS           string   `json:"os"`
	OSVersion    string   `json:"os.version,omitempty"`
	OSFeatures   []string `json:"os.features,omitempty"`
	Variant      string   `json:"variant,omitempty"`
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	URLs         []string          `json:"urls,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Data         []byte            `json:"data,omitempty"`
	Platform     *platform         `json:"platform,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
}

// document is an image, an index, a manifest of schema 1 and an artifact manifest at once: what of each a reader of
// that kind would find.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        *descriptor       `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Manifests     []descriptor      `json:"manifests"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
	FSLayers      []any             `json:"fsLayers,omitempty"`
	Blobs         []descriptor      `json:"blobs,omitempty"`
}

type answer struct {
	Error    string    `json:"error,omitempty"`
	Document *document `json:"document,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		bytes, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		read := answer{Document: new(document)}
		if err := json.Unmarshal(bytes, read.Document); err != nil {
			read = answer{Error: err.Error()}
		}
		if err := out.Encode(read); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
