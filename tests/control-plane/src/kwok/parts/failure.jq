# The failure that the pod asks for, or `none`: what it is annotated with, where node and image are those it names.
. as $pod
| (.metadata.annotations // {}) as $asked
| if ($asked["control-plane.test/fail"] // "") == "" then "none"
  elif ($asked["control-plane.test/fail-on-node"] // $pod.spec.nodeName) != $pod.spec.nodeName then "none"
  elif ($asked["control-plane.test/fail-on-image"] // "") as $image
    | [$pod.spec.containers[].image | contains($image)] | any | not then "none"
  else $asked["control-plane.test/fail"] end
