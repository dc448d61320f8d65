# The content type says nothing sure of a text that somebody typed: it is JSON if it reads as such, else the fields of a form.
. as $text | (try fromjson catch ($text | "?\(.)" | url_query)) | if type == "array" then .[] else . end | call
