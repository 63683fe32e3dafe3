"""What a person reads when something takes longer than usual."""

STILL_WORKING = (
    "This takes longer than usual and is still being worked on. The form says when it is done; "
    "if it does not, press again: nothing is done twice."
)
DONE_LATE = "That took longer than usual, and it is done. You can close this."
TOO_BUSY = "Labcoat has more to do just now than it can. This was not done; please try again in a minute."
