"""Messages as Twilio's Messages API sends them: asked for in a form, sent, and captured like provider traffic."""
