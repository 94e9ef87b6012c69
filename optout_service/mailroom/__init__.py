"""Mail that came in, recorded; without HTTP, so that a mail server's pipe has it too."""
