// Warns before the session ends, and lets the person stay (the server's clock decides: accounts/sessions.py).
// Asking how long is left is marked as the page's own doing and keeps nothing alive.
(function () {
  const dialog = document.getElementById('session-warning')
  if (!dialog || !dialog.showModal) return
  const ASK_EVERY_SECONDS = 60
  const WARN_BELOW_SECONDS = 120
  let endsAt = Infinity

  function leave () {
    window.location.assign(`${dialog.dataset.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`)
  }

  function learn (state) {
    if (!state.is_signed_in) return leave()
    endsAt = Date.now() + state.seconds_left * 1000
    show()
  }

  function ask () {
    fetch(dialog.dataset.state, { headers: { 'X-Portal-Poll': '1' } }).then(answer => answer.json()).then(learn).catch(() => {})
  }

  function show () {
    const left = Math.max(0, Math.round((endsAt - Date.now()) / 1000))
    if (left > WARN_BELOW_SECONDS) {
      if (dialog.open) dialog.close()
      return
    }
    dialog.querySelector('[data-left]').textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
    if (!dialog.open) dialog.showModal()
    if (left === 0) ask()
  }

  function stay () {
    const token = dialog.querySelector('[name=csrfmiddlewaretoken]').value
    fetch(dialog.dataset.extend, { method: 'POST', headers: { 'X-CSRFToken': token } }).then(answer => answer.json()).then(learn).catch(leave)
  }

  dialog.querySelector('[data-stay]').addEventListener('click', stay)
  dialog.addEventListener('cancel', event => { event.preventDefault(); stay() })
  window.addEventListener('pageshow', event => { if (event.persisted) ask() })
  setInterval(show, 1000)
  setInterval(ask, ASK_EVERY_SECONDS * 1000)
  ask()
})()
