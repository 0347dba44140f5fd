"""Files that members send us: what is taken, how it is made harmless, held until scanned, kept, served and deleted.

Any app above may use it:

    upload = keeping.keep(request.FILES["document"], by=user, member=member, purpose="assistance")  # raises Refused
    upload.address                     where its owner fetches it, once it is clean
    serving.attachment(upload)         the answer for somebody of staff, whose right the caller has checked
    keeping.let_go(upload, after=day)  the case is closed: deleted after that day
    keeping.delete(upload, by=user)    gone from the store; the row and its events stay

`forms.UploadField` is the form's field, `uploads/field.html` its look.
"""
