# Sends each file as one message:    SHELL testdata/shell/send.sh RECIPE FILE...
# RECIPE is what the page shows under "send from a terminal". The caller's shell must be the same afterwards.
set -eu
mask=$(umask)
d=before
. "$1"
shift
for file; do
  snug_send < "$file"
done
snug_send -n '%s' "it's \"quoted\" \\n \$HOME" # arguments are text, whatever they look like
[ "$d" = before ] && [ "$(umask)" = "$mask" ]
[ -z "$(ls -A "$TMPDIR")" ] # nothing stays, not even sealed
