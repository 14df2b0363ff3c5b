"""Files as bytes: media types, upload rules, examination, conversion, text extraction, object stores."""
