package test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// helmValues are the keys of coredns/helm's chart 1.46.2 that values.yaml may use.
// Helm ignores a key that the chart does not have.
type helmValues struct {
	Image struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
	} `json:"image"`
	ReplicaCount     int  `json:"replicaCount"`
	IsClusterService bool `json:"isClusterService"`
	RBAC             struct {
		Create bool `json:"create"`
	} `json:"rbac"`
	AutomountServiceAccountToken bool                              `json:"automountServiceAccountToken"`
	ServiceType                  string                            `json:"serviceType"`
	Servers                      []helmServer                      `json:"servers"`
	ZoneFiles                    []helmFile                        `json:"zoneFiles"`
	ExtraVolumes                 []corev1.Volume                   `json:"extraVolumes"`
	ExtraVolumeMounts            []corev1.VolumeMount              `json:"extraVolumeMounts"`
	PodSecurityContext           corev1.PodSecurityContext         `json:"podSecurityContext"`
	SecurityContext              corev1.SecurityContext            `json:"securityContext"`
	Resources                    map[string]map[string]*string     `json:"resources"`
	RollingUpdate                map[string]int                    `json:"rollingUpdate"`
	PodDisruptionBudget          policyv1.PodDisruptionBudgetSpec  `json:"podDisruptionBudget"`
	TopologySpreadConstraints    []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints"`
	Prometheus                   struct {
		Service helmPrometheus `json:"service"`
	} `json:"prometheus"`
}

type helmPrometheus struct {
	Enabled bool `json:"enabled"`
}

type helmServer struct {
	Zones []struct {
		Zone   string `json:"zone"`
		UseTCP bool   `json:"use_tcp"`
	} `json:"zones"`
	Port    int          `json:"port"`
	Plugins []helmPlugin `json:"plugins"`
}

type helmPlugin struct {
	Name        string `json:"name"`
	Parameters  any    `json:"parameters"` // text or number, as YAML has it
	ConfigBlock string `json:"configBlock"`
}

type helmFile struct {
	Filename string `json:"filename"`
	Contents string `json:"contents"`
}

func readHelmValues(t *testing.T) *helmValues {
	t.Helper()
	text, err := os.ReadFile("../build/package/kubernetes/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v := new(helmValues)
	if err := decodeStrict(text, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// corefile writes the servers as the chart does.
func (v *helmValues) corefile() string {
	var b strings.Builder
	for _, s := range v.Servers {
		for _, z := range s.Zones {
			fmt.Fprintf(&b, "%s:%d ", z.Zone, s.Port)
		}
		b.WriteString("{\n")
		for _, p := range s.Plugins {
			b.WriteString(p.Name)
			if p.Parameters != nil {
				fmt.Fprintf(&b, " %v", p.Parameters)
			}
			if p.ConfigBlock != "" {
				fmt.Fprintf(&b, " {\n%s\n}", p.ConfigBlock)
			}
			b.WriteByte('\n')
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// valuesFiles returns what the chart makes of the values.
func valuesFiles(t *testing.T) (corefile, protected, allowed string) {
	t.Helper()
	v := readHelmValues(t)
	contents := make(map[string]string)
	for _, f := range v.ZoneFiles {
		contents[f.Filename] = f.Contents
	}
	return v.corefile(), contents["protected.txt"], contents["allowed.txt"]
}

// TestHelmValues holds the values against the manifest: the same server in the
// same pod.
func TestHelmValues(t *testing.T) {
	t.Parallel()
	v, m := readHelmValues(t), readManifest(t)
	pod := m.deployment.Spec.Template.Spec
	// Unlike the manifest, the chart has its files in a directory that it chose.
	fields := func(corefile string) []string {
		corefile = strings.NewReplacer("/etc/coredns/", "/etc/lookalike/", ".:53 {", ". {").Replace(corefile)
		var f []string
		for line := range strings.Lines(corefile) {
			line, _, _ = strings.Cut(line, "#")
			f = append(f, strings.Fields(line)...)
		}
		return f
	}
	tests := []struct {
		what      string
		got, want any
	}{
		{"image", v.Image.Repository + ":" + v.Image.Tag, pod.Containers[0].Image},
		{"Corefile", fields(v.corefile()), fields(m.file(t, "Corefile"))},
		{"cluster's own DNS", v.IsClusterService, false},
		{"rights at the API", v.RBAC.Create || v.AutomountServiceAccountToken, false},
		{"pods", v.ReplicaCount, int(*m.deployment.Spec.Replicas)},
		{"pods that may be away", v.PodDisruptionBudget, policyv1.PodDisruptionBudgetSpec{MinAvailable: m.budget.Spec.MinAvailable}},
		{"UDP and TCP", v.Servers[0].Zones[0].UseTCP, true},
		{"Service", v.ServiceType, string(m.service.Spec.Type)},
		{"security of the pod", v.PodSecurityContext, *pod.SecurityContext},
		{"security of the container", v.SecurityContext, *pod.Containers[0].SecurityContext},
		{"spool", v.ExtraVolumes, pod.Volumes[1:]},
		{"mount of the spool", v.ExtraVolumeMounts, pod.Containers[0].VolumeMounts[1:]},
		{"memory", *v.Resources["limits"]["memory"], pod.Containers[0].Resources.Limits.Memory().String()},
		{"limit of the processor", v.Resources["limits"]["cpu"], (*string)(nil)},
	}
	for _, tt := range tests {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}
