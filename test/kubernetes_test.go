package test

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const manifestFile = "../build/package/kubernetes/lookalike.yaml"

// manifest is what lookalike.yaml has for Kubernetes.
type manifest struct {
	namespace  corev1.Namespace
	configMaps []corev1.ConfigMap
	deployment appsv1.Deployment
	service    corev1.Service
	budget     policyv1.PodDisruptionBudget
	policy     networkingv1.NetworkPolicy
}

// object returns where an object of this kind belongs.
func (m *manifest) object(kind string) (any, error) {
	switch kind {
	case "v1 Namespace":
		return &m.namespace, nil
	case "v1 ConfigMap":
		m.configMaps = append(m.configMaps, corev1.ConfigMap{})
		return &m.configMaps[len(m.configMaps)-1], nil
	case "apps/v1 Deployment":
		return &m.deployment, nil
	case "v1 Service":
		return &m.service, nil
	case "policy/v1 PodDisruptionBudget":
		return &m.budget, nil
	case "networking.k8s.io/v1 NetworkPolicy":
		return &m.policy, nil
	}
	return nil, fmt.Errorf("a %q is not expected", kind)
}

// decodeStrict reads YAML as the API server does under strict validation: a key
// that the type does not have, in just this spelling, is an error, and so is one
// that stands there twice.
func decodeStrict(text []byte, into any) error {
	json, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	strict, err := kjson.UnmarshalStrict(json, into)
	if err == nil && len(strict) > 0 {
		err = fmt.Errorf("%v", strict)
	}
	return err
}

func parseManifest(text []byte) (*manifest, error) {
	m := new(manifest)
	for part := range bytes.SplitSeq(text, []byte("\n---\n")) {
		document := append(slices.Clip(part), '\n')
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		object, err := m.object(kind.APIVersion + " " + kind.Kind)
		if err == nil {
			err = decodeStrict(document, object)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
	}
	return m, nil
}

// readManifest returns what lookalike.yaml has.
func readManifest(t *testing.T) *manifest {
	t.Helper()
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestManifestMistakes has mistakes in the manifest that a lenient reader takes.
func TestManifestMistakes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, right, wrong, want string }{
		{"none", "replicas: 2", "replicas: 3", ""},
		{"a key that does not exist", "minAvailable: 1", "leastAvailable: 1", `unknown field "spec.leastAvailable"`},
		{"a key in another case", "readOnlyRootFilesystem", "readonlyRootFilesystem", `unknown field "spec.template.spec.containers[0].securityContext.readonlyRootFilesystem"`},
		{"a key twice", "replicas: 2", "replicas: 2\n  replicas: 3", `key "replicas" already set`},
		{"a word for a number", "replicas: 2", "replicas: two", "cannot unmarshal string"},
		{"a kind of another group", "policy/v1", "policy/v1beta1", `a "policy/v1beta1 PodDisruptionBudget" is not expected`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n := bytes.Count(text, []byte(tt.right)); n != 1 {
				t.Fatalf("The manifest has %q %d times", tt.right, n)
			}
			_, err := parseManifest(bytes.Replace(text, []byte(tt.right), []byte(tt.wrong), 1))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Got error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestManifestAgrees holds the objects of the manifest against one another: a
// difference is no mistake to Kubernetes, but nothing works.
func TestManifestAgrees(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	pod := m.deployment.Spec.Template
	container := pod.Spec.Containers[0]
	corefile := m.file(t, "Corefile")
	tests := []struct {
		what      string
		got, want any
	}{
		{"labels that the Deployment selects", m.deployment.Spec.Selector.MatchLabels, pod.Labels},
		{"labels that the Service selects", m.service.Spec.Selector, pod.Labels},
		{"labels that the PodDisruptionBudget selects", m.budget.Spec.Selector.MatchLabels, pod.Labels},
		{"labels that the NetworkPolicy selects", m.policy.Spec.PodSelector.MatchLabels, pod.Labels},
		{"labels that are spread", pod.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels, pod.Labels},
		{"namespaces", m.namespaces(), []string{m.namespace.Name}},
		{"ports of the pod", m.containerPorts(), []string{"53/TCP", "53/UDP", "8080/TCP", "8181/TCP", "9153/TCP"}},
		{"ports of the Service, by the names of the pod's", m.servicePorts(t), []string{"53/TCP", "53/UDP"}},
		{"ports that the NetworkPolicy lets in", m.openPorts(), []string{"53/TCP", "53/UDP", "9153/TCP"}},
		{"port of the metrics, for Prometheus", pod.Annotations["prometheus.io/port"], strings.TrimPrefix(words(corefile, "prometheus")[0], ":")},
		{"clients of the NetworkPolicy and the Corefile", m.clients(), words(corefile, "allow")[1:]},
		{"port of the liveness probe", m.port(t, container.LivenessProbe), "/health 8080"},
		{"port of the readiness probe", m.port(t, container.ReadinessProbe), "/ready 8181"},
		{"directory of the files", m.mounts(), map[string]string{"config": "/etc/lookalike", "spool": "/var/lib/lookalike"}},
		{"files in it", m.projected(t), []string{"Corefile", "allowed.txt", "protected.txt"}},
		{"image", container.Image, "lookalike:VERSION"},
		{"pods that may be away", m.budget.Spec.MinAvailable.IntValue() < int(*m.deployment.Spec.Replicas), true},
	}
	for _, tt := range tests {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

// TestManifestRestricted holds the pod against what the namespace enforces, and
// more.
func TestManifestRestricted(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	pod := m.deployment.Spec.Template.Spec
	container := pod.Containers[0]
	rights := container.SecurityContext.Capabilities
	tests := []struct {
		what      string
		got, want any
	}{
		{"standard of the namespace", m.namespace.Labels["pod-security.kubernetes.io/enforce"], "restricted"},
		{"not root", *pod.SecurityContext.RunAsNonRoot, true},
		{"user", *pod.SecurityContext.RunAsUser, int64(65532)},
		{"group", *pod.SecurityContext.RunAsGroup, int64(65532)},
		{"group of the volumes", *pod.SecurityContext.FSGroup, int64(65532)},
		{"system calls", pod.SecurityContext.SeccompProfile.Type, corev1.SeccompProfileTypeRuntimeDefault},
		{"more rights", *container.SecurityContext.AllowPrivilegeEscalation, false},
		{"read-only root", *container.SecurityContext.ReadOnlyRootFilesystem, true},
		{"capabilities dropped", rights.Drop, []corev1.Capability{"ALL"}},
		{"capabilities added", rights.Add, []corev1.Capability{"NET_BIND_SERVICE"}},
		{"token of the API", *pod.AutomountServiceAccountToken, false},
		{"network of the host", pod.HostNetwork, false},
		{"egress is limited, too", m.policy.Spec.PolicyTypes, []networkingv1.PolicyType{"Ingress", "Egress"}},
		{"containers", len(pod.Containers) + len(pod.InitContainers), 1},
	}
	for _, tt := range tests {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

// file returns a file of the ConfigMaps.
func (m *manifest) file(t *testing.T, name string) string {
	t.Helper()
	for _, c := range m.configMaps {
		if text, ok := c.Data[name]; ok {
			return text
		}
	}
	t.Fatalf("No ConfigMap has %s", name)
	return ""
}

func (m *manifest) namespaces() []string {
	all := []string{m.deployment.Namespace, m.service.Namespace, m.budget.Namespace, m.policy.Namespace}
	for _, c := range m.configMaps {
		all = append(all, c.Namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (m *manifest) containerPorts() (ports []string) {
	for _, p := range m.deployment.Spec.Template.Spec.Containers[0].Ports {
		ports = append(ports, fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol))
	}
	slices.Sort(ports)
	return ports
}

// number returns the port of the pod that has this name.
func (m *manifest) number(t *testing.T, name string, protocol corev1.Protocol) int32 {
	t.Helper()
	for _, p := range m.deployment.Spec.Template.Spec.Containers[0].Ports {
		if p.Name == name && p.Protocol == protocol {
			return p.ContainerPort
		}
	}
	t.Errorf("The pod has no %s port %s", protocol, name)
	return 0
}

func (m *manifest) servicePorts(t *testing.T) (ports []string) {
	t.Helper()
	for _, p := range m.service.Spec.Ports {
		number := m.number(t, p.TargetPort.StrVal, p.Protocol)
		if number != p.Port {
			t.Errorf("Port %d of the Service leads to port %d", p.Port, number)
		}
		ports = append(ports, fmt.Sprintf("%d/%s", p.Port, p.Protocol))
	}
	slices.Sort(ports)
	return ports
}

// port returns the path and the port of a probe.
func (m *manifest) port(t *testing.T, probe *corev1.Probe) string {
	t.Helper()
	return fmt.Sprintf("%s %d", probe.HTTPGet.Path, m.number(t, probe.HTTPGet.Port.StrVal, corev1.ProtocolTCP))
}

func (m *manifest) openPorts() (ports []string) {
	for _, rule := range m.policy.Spec.Ingress {
		for _, p := range rule.Ports {
			ports = append(ports, fmt.Sprintf("%d/%s", p.Port.IntValue(), *p.Protocol))
		}
	}
	slices.Sort(ports)
	return ports
}

// clients returns the networks from which the NetworkPolicy lets queries in.
func (m *manifest) clients() (networks []string) {
	for _, rule := range m.policy.Spec.Ingress {
		for _, peer := range rule.From {
			if peer.IPBlock != nil {
				networks = append(networks, peer.IPBlock.CIDR)
			}
		}
	}
	return networks
}

func (m *manifest) mounts() map[string]string {
	mounts := make(map[string]string)
	for _, v := range m.deployment.Spec.Template.Spec.Containers[0].VolumeMounts {
		mounts[v.Name] = v.MountPath + v.SubPath
	}
	return mounts
}

// projected returns the files of the ConfigMaps that are mounted.
func (m *manifest) projected(t *testing.T) (files []string) {
	t.Helper()
	for _, volume := range m.deployment.Spec.Template.Spec.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			i := slices.IndexFunc(m.configMaps, func(c corev1.ConfigMap) bool { return c.Name == source.ConfigMap.Name })
			if i < 0 {
				t.Errorf("There is no ConfigMap %s", source.ConfigMap.Name)
				continue
			}
			for name := range m.configMaps[i].Data {
				files = append(files, name)
			}
		}
	}
	slices.Sort(files)
	return files
}

// words returns what follows the first use of a directive or property.
func words(corefile, name string) []string {
	for line := range strings.Lines(corefile) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) > 0 && f[0] == name {
			return f[1:]
		}
	}
	return nil
}
