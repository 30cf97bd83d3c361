// Shows a stored report in a frame that can run nothing. The address is /report#MODEL/VERSION; the key comes from the tab that opened this one.
'use strict';

async function show() {
  const [model, version] = location.hash.slice(1).split('/').map(decodeURIComponent);
  const state = document.getElementById('state');
  const key = sessionStorage.getItem('scion-key');
  if (!model || !key) {
    state.textContent = 'Open this report from the page of its server.';
    return;
  }
  try {
    const address = `/api/models/${encodeURIComponent(model)}${version ? `/versions/${encodeURIComponent(version)}` : ''}/report`;
    const response = await fetch(address, { headers: { 'x-functions-key': key }, cache: 'no-store' });
    if (!response.ok) {
      const problem = await response.json();
      state.textContent = `${problem.code}: ${problem.detail} ${problem.remedy}`;
      return;
    }
    const frame = document.getElementById('report');
    frame.srcdoc = await response.text();
    frame.hidden = false;
    state.hidden = true;
    document.title = `Report of ${model}`;
  } catch {
    state.textContent = 'The server does not answer.';
  }
}

show();
