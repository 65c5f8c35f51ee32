# What a private machine's namespaces hold; run by `unshare --mount --net --pid --fork --kill-child`.
# Every folder that is written to is a layer of its own, over the real one: nothing of what is done
# in here reaches the machine outside. /tmp is one too.
# Arguments: an empty folder for the layers, the checkout, the Python below its environment.
set -eu
layers=$1 checkout=$2 python=$3

# `unshare --mount` made every mount private before this line.
mount -t tmpfs tmpfs "$layers"
layer() { # a folder, what lies below it
  upper=$layers/$(echo "$1" | tr / _)
  mkdir -p "$upper.upper" "$upper.work" "$1"
  mount -t overlay overlay -o "lowerdir=$2,upperdir=$upper.upper,workdir=$upper.work" "$1"
}
layer /opt /opt
layer /etc /etc
layer /var /var
layer /run /run
layer /opt/strongroom "$checkout"
# An interpreter in somebody's closed home is opened here, and only here.
case $python in
/usr | /usr/*) ;;
*)
  top=/$(echo "$python" | cut -d/ -f2)
  layer "$top" "$top"
  place=$python
  while [ "$place" != / ]; do
    chmod o+rx "$place"
    place=$(dirname "$place")
  done
  ;;
esac
mount -t tmpfs -o mode=1777 tmpfs /tmp
ip link set lo up
printf '127.0.0.1 localhost store.example.com db.example.com backup.example.com\n' >/etc/hosts
touch /run/machine-is-ready
exec sleep infinity
