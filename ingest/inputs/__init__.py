"""Where messages come from: files, folders, Maildir, mbox, standard input, IMAP."""
