- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
