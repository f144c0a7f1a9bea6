- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ printf "%s@sha256:%s" ( .image | splitList "@" | first ) ( sha256sum .image ) | Quote }}
  containerID: {{ printf "containerd://%s" ( printf "%s/%s" $root.metadata.uid .name | sha256sum ) | Quote }}
