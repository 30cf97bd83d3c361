'use strict';

const by = id => document.getElementById(id);
const active = run => run.state === 'queued' || run.state === 'running', suspended = run => run.state === 'suspended';

/** An element with properties and children; text is always text, never markup. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.className = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

const percent = share => `${(100 * share).toFixed(1)} %`;
const interval = figure => `${percent(figure.value)} (${(100 * figure.low).toFixed(1)}–${(100 * figure.high).toFixed(1)})`;
const count = (n, one, many) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

// ---- The key: from the address's fragment, which no server ever sees, or asked for once; kept in this tab.

const Key = 'scion-key';
const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.has('key')) {
  sessionStorage.setItem(Key, fragment.get('key'));
  history.replaceState(null, '', location.pathname);
}

function askKey(why) {
  locked = true;
  const dialog = by('key-dialog');
  by('key-wrong').hidden = !why;
  by('key-wrong').textContent = why ?? '';
  if (!dialog.open) dialog.showModal();
}

by('change-key').addEventListener('click', () => askKey());
by('key-form').addEventListener('submit', () => {
  sessionStorage.setItem(Key, by('key').value.trim());
  by('key').value = '';
  refreshAll();
});

// ---- Calls

/** True once a key was asked for, until a call is answered. Some hosts take none (Core Tools on one's own machine). */
let locked = false;

const keyHeader = () => sessionStorage.getItem(Key) ? { 'x-functions-key': sessionStorage.getItem(Key) } : {};

/** A refusal that is not the API's own: of the host in front, which says nothing but a number. */
const unnamed = status => ({ code: '', detail: status === 401 ? 'The key is not accepted.' : `The answer is ${status}.`, remedy: '' });

class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail);
    Object.assign(this, problem, { status });
  }
}

/** The body is JSON, or a file, sent as what it says it is. */
async function call(method, address, body) {
  const file = body instanceof Blob;
  let response;
  try {
    response = await fetch(address, {
      method,
      cache: 'no-store',
      headers: { ...keyHeader(), ...(body === undefined ? {} : { 'content-type': file ? body.type || 'application/octet-stream' : 'application/json' }) },
      body: body === undefined ? undefined : file ? body : JSON.stringify(body),
    });
  } catch {
    throw new Refused({ code: '', detail: 'The server does not answer.', remedy: 'Is it still running?' }, 0);
  }
  if (response.ok) {
    locked = false;
    return response;
  }
  const problem = await response.json().catch(() => unnamed(response.status));
  if (response.status === 401) askKey(sessionStorage.getItem(Key) ? problem.detail : undefined);
  throw new Refused(problem, response.status);
}

const get = async address => (await call('GET', address)).json();
const model = name => `/api/models/${encodeURIComponent(name)}`;
const problemBox = fault => make('p', { class: 'problem', role: 'alert' }, [fault.code, fault.detail, fault.remedy].filter(Boolean).join(fault.code ? ' · ' : ' '));

/** Runs an action with its button held down, and shows what went wrong. */
async function act(button, place, action) {
  if (button) button.disabled = true;
  place?.querySelectorAll(':scope > .problem').forEach(old => old.remove());
  try {
    await action();
  } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
    if (fault.status !== 401) (place ?? document.querySelector('main')).append(problemBox(fault));
  } finally {
    if (button) button.disabled = false;
  }
}

// ---- Models

/** A share with its interval on a line from 0 to 1. */
function intervalRow(name, figure, strong) {
  const reach = make('span', { class: strong ? 'reach strong' : 'reach' });
  const point = make('span', { class: 'point' });
  reach.style.left = `${100 * figure.low}%`;
  reach.style.width = `${100 * (figure.high - figure.low)}%`;
  point.style.left = `${100 * figure.value}%`;
  return [make('span', { class: strong ? 'strong' : '' }, name), make('span', { class: 'track', 'aria-hidden': 'true' }, reach, point),
    make('span', { class: strong ? 'number strong' : 'number' }, interval(figure))];
}

const modelNames = { transfer: 'this model', scratch: 'from scratch', 'bag-of-words': 'bag of words', pixels: 'colours and edges', majority: 'most common class' };
const stages = {
  IngestReviews: 'Reading files', Curate: 'Finding copies, splitting', BuildVocabulary: 'Counting words', PretrainEmbeddings: 'Learning word vectors',
  TrainEmbeddingShard: 'Learning word vectors of shards', AverageEmbeddings: 'Averaging word vectors',
  ExtractFeatures: 'Turning reviews to features', TrainHeads: 'Fitting heads', Evaluate: 'Measuring', Publish: 'Publishing',
  IngestImages: 'Reading photos', PrepareEncoder: 'Preparing the network', ExtractImageFeatures: 'Looking at photos', ExtractPixelFeatures: 'Measuring colours and edges',
  PublishImages: 'Publishing',
};
const protocols = { crossValidation: 'cross-validated', hashSplit: 'held out by content', givenSplit: 'held out as given' };
const opened = new Set();
let modelsShown = '';

async function showModels() {
  const { models } = await get('/api/models');
  const text = JSON.stringify(models);
  if (text === modelsShown) return;
  modelsShown = text;
  by('models').replaceChildren(...(models.length ? models.map(card) : [make('p', { class: 'hint' }, 'No model yet. Upload reviews or photos below, or copy a file into reviews/MODEL/ or images/MODEL/ of the data folder.')]));
  by('model-names').replaceChildren(...models.map(m => make('option', { value: m.model })));
  const select = by('try-model'), chosen = select.value;
  const usable = models.filter(m => m.latest);
  select.replaceChildren(...usable.map(m => make('option', { value: m.model, 'data-kind': m.kind }, m.model)));
  if (usable.some(m => m.model === chosen)) select.value = chosen;
  showTryKind();
  by('try-form').querySelector('button').disabled = usable.length === 0;
}

function card(entry) {
  const serving = entry.serving;
  const history = make('div');
  const details = make('details', { open: opened.has(entry.model), ontoggle: () => {
    if (details.open) opened.add(entry.model); else opened.delete(entry.model);
    if (details.open && !history.hasChildNodes()) act(null, details, () => showHistory(entry.model, history));
  } }, make('summary', {}, count(entry.versions, 'version', 'versions')), history);
  return make('article', { class: 'card', 'aria-label': entry.model },
    make('div', { class: 'row' }, make('h3', {}, entry.model),
      entry.latest ? make('span', { class: 'badge good' }, `serves ${entry.latest}`) : make('span', { class: 'badge' }, 'serves nothing')),
    serving?.labels && make('p', { class: 'hint' }, `${serving.labels.join(' · ')}${serving.rows ? ` — ${count(serving.rows, 'row', 'rows')}, ${protocols[serving.protocol] ?? serving.protocol}` : ''}`),
    entry.fault && make('p', { class: 'problem' }, entry.fault),
    serving?.accuracy && make('div', { class: 'bars' }, intervalRow('this model', serving.accuracy, true), (serving.baselines ?? []).map(b => intervalRow(modelNames[b.name] ?? b.name, b.accuracy)).reverse()),
    serving?.accuracy && make('p', { class: 'hint' }, 'Accuracy with its 95 % interval, on the same rows.'),
    make('div', { class: 'row' },
      entry.latest && make('a', { class: 'quiet', href: reportAddress(entry.model, entry.latest), target: '_blank', rel: 'opener' }, 'Report'),
      entry.latest && make('button', { type: 'button', class: 'quiet', onclick: () => { by('try-model').value = entry.model; showTryKind(); by(entry.kind === 'images' ? 'try-file' : 'try-text').focus(); } }, 'Try it')),
    details);
}

const reportAddress = (name, version) => `/report#${encodeURIComponent(name)}/${encodeURIComponent(version)}`;

async function showHistory(name, place) {
  const detail = await get(model(name));
  const move = async (button, action, body, question) => {
    if (confirm(question)) await act(button, place, async () => {
      await call('POST', `${model(name)}/${action}`, body);
      modelsShown = '';
      await showModels();
    });
  };
  place.replaceChildren(
    make('div', { class: 'scroll' }, make('table', { class: 'stack' },
      make('thead', {}, make('tr', {}, ['Version', 'Accuracy', ''].map(title => make('th', { scope: 'col' }, title)))),
      make('tbody', {}, detail.versions.map(version => make('tr', {},
        make('td', { class: 'name' }, version.version, ' ', version.latest && make('span', { class: 'badge good' }, 'serves'), version.fault && make('span', { class: 'badge bad', title: version.fault }, version.complete ? 'damaged' : 'incomplete')),
        make('td', { class: 'number' }, version.accuracy ? interval(version.accuracy) : '–'),
        make('td', {}, make('div', { class: 'row' },
          version.complete && !version.fault && make('a', { class: 'quiet', href: reportAddress(name, version.version), target: '_blank', rel: 'opener', 'aria-label': `Report of ${version.version}` }, 'Report'),
          version.complete && !version.fault && !version.latest && make('button', { type: 'button', class: 'quiet', 'aria-label': `Promote ${version.version}`, onclick: event =>
            move(event.currentTarget, 'promote', { version: version.version, reason: 'From the page.' }, `Let ${name} serve ${version.version}?`) }, 'Promote')))))))),
    ...(detail.rollsBackTo ? [make('p', { class: 'row' }, make('button', { type: 'button', class: 'quiet', onclick: event =>
      move(event.currentTarget, 'rollback', { from: detail.latest, reason: 'From the page.' }, `Let ${name} serve ${detail.rollsBackTo} again?`) }, `Roll back to ${detail.rollsBackTo}`))] : []),
    make('details', {}, make('summary', {}, 'Moves of latest'), make('ul', { class: 'neighbours' }, detail.moves.map(m =>
      make('li', {}, `${new Date(m.at).toLocaleString()} · ${m.action} · ${m.version} · ${m.reason}`)))));
}

// ---- Try

by('try-text').addEventListener('keydown', event => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) by('try-form').requestSubmit();
});

const triesPhotos = () => by('try-model').selectedOptions[0]?.dataset.kind === 'images';
let photo = null;

/** Shows the field that the chosen model takes. */
function showTryKind() {
  const photos = triesPhotos();
  by('try-review').hidden = by('try-keys').hidden = photos;
  by('try-photo').hidden = !photos;
}

function choosePhoto(file) {
  const shown = by('try-shown');
  if (shown.src) URL.revokeObjectURL(shown.src);
  photo = file ?? null;
  shown.hidden = !photo;
  if (photo) shown.src = URL.createObjectURL(photo);
  else shown.removeAttribute('src');
  by('answer').replaceChildren();
}

by('try-model').addEventListener('change', () => { showTryKind(); by('answer').replaceChildren(); });
by('try-file').addEventListener('change', () => choosePhoto(by('try-file').files[0]));
by('try-photo').addEventListener('dragover', event => event.preventDefault());
by('try-photo').addEventListener('drop', event => {
  event.preventDefault();
  if (event.dataTransfer.files.length > 0) choosePhoto(event.dataTransfer.files[0]);
});
document.addEventListener('paste', event => {
  const file = [...event.clipboardData.files][0];
  if (!file || !triesPhotos()) return;
  event.preventDefault();
  choosePhoto(file);
});

by('try-form').addEventListener('submit', event => {
  event.preventDefault();
  const place = by('answer'), text = by('try-text').value, name = by('try-model').value, photos = triesPhotos();
  if (photos ? !photo : !text) return by(photos ? 'try-file' : 'try-text').focus();
  act(event.submitter, place, async () => {
    const answer = await (photos ? await call('POST', `${model(name)}/predict`, photo) : await call('POST', `${model(name)}/predict?explain=true`, { inputs: [text] })).json();
    place.replaceChildren(...judged(text, answer));
  });
});

/** A stored photo; the key goes in a header, so the picture is fetched and not linked. */
function thumbnail(neighbour) {
  const image = make('img', { alt: neighbour.name, width: 112, height: 112 });
  call('GET', neighbour.picture).then(response => response.blob()).then(blob => {
    image.onload = () => URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(blob);
  }, () => image.remove());
  return make('figure', {}, image, make('figcaption', {}, make('span', { class: 'badge' }, neighbour.label), ` ${neighbour.similarity.toFixed(2)} `, make('span', { class: 'hint' }, neighbour.name)));
}

function judged(text, answer) {
  const [p] = answer.predictions;
  const photos = p.neighbours.some(n => n.picture);
  const reasons = { noKnownWords: 'it knows no word of this text', unlikeTraining: 'this is unlike everything it was trained on' };
  return [
    make('p', { class: 'verdict' }, `${p.label} ${percent(p.score)} `, make('small', {}, `${answer.model} ${answer.version}`)),
    p.abstained && make('p', { class: 'note' }, `The model abstains: ${reasons[p.reason] ?? p.reason}. Do not act on this answer.`),
    make('div', { class: 'bars' }, Object.entries(p.scores).map(([label, score]) => {
      const fill = make('span', { class: label === p.label ? 'fill strong' : 'fill' });
      fill.style.width = `${100 * score}%`;
      return [make('span', { class: label === p.label ? 'strong' : '' }, label), make('span', { class: 'track', 'aria-hidden': 'true' }, fill), make('span', { class: 'number' }, percent(score))];
    })),
    p.words?.length && make('h4', {}, `What each word did for “${p.label}”`),
    p.words?.length && make('p', { class: 'marked' }, ...highlighted(text, p.words)),
    p.words?.length && make('details', {}, make('summary', {}, 'As numbers'), make('div', { class: 'scroll' }, make('table', {},
      make('caption', {}, 'Log-odds with the word less those without it. Above 0: it speaks for the label.'),
      make('tbody', {}, p.words.map(w => make('tr', {}, make('td', { class: 'name' }, w.word), make('td', { class: 'number' }, signed(w.contribution)))))))),
    p.neighbours.length && make('h4', {}, 'Most similar training examples'),
    photos && make('div', { class: 'photos' }, p.neighbours.map(thumbnail)),
    !photos && p.neighbours.length && make('ul', { class: 'neighbours' }, p.neighbours.map(n => make('li', {}, make('span', { class: 'badge' }, n.label), ` ${n.similarity.toFixed(2)} `, n.text))),
  ].filter(Boolean);
}

const signed = x => (x >= 0 ? '+' : '−') + Math.abs(x).toFixed(2);

/** The text with each known word marked by what it did. Words are cut as the server cuts them, closely enough to find them. */
function highlighted(text, words) {
  const of = new Map(words.map(w => [w.word, w.contribution]));
  const largest = Math.max(...words.map(w => Math.abs(w.contribution)), 1e-9);
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(/[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)*|[!?]|\p{Extended_Pictographic}/gu)) {
    const contribution = of.get(match[0].toLowerCase().replaceAll('’', '\''));
    if (contribution === undefined) continue;
    nodes.push(text.slice(end, match.index));
    const weak = Math.abs(contribution) < 0.05 * largest;
    nodes.push(make('mark', { class: weak ? 'weak' : contribution > 0 ? 'for' : 'against', title: signed(contribution) }, match[0]));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

// ---- Train

/** Puts a file with progress; fetch cannot tell how much of a body has gone out. */
function upload(address, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', address);
    for (const [name, value] of Object.entries(keyHeader())) request.setRequestHeader(name, value);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = event => progress(event.loaded);
    request.onerror = () => reject(new Refused({ code: '', detail: 'The server does not answer.', remedy: 'Is it still running?' }, 0));
    request.onload = () => {
      if (request.status < 300) return resolve();
      let problem = { ...unnamed(request.status), remedy: request.status >= 500 ? 'If the file is large, copy it into the storage itself.' : '' };
      try { problem = JSON.parse(request.responseText); } catch { /* not a problem of ours */ }
      if (request.status === 401) askKey(problem.detail);
      reject(new Refused(problem, request.status));
    };
    request.send(file);
  });
}

const trainKind = () => document.querySelector('[name=train-kind]:checked').value;

/** Where a file comes to lie: of a chosen folder, what is below it, since its folders are the labels. */
const placeOf = file => (file.webkitRelativePath ? file.webkitRelativePath.split('/').slice(1) : [file.name]).map(encodeURIComponent).join('/');

function showTrainKind() {
  const kind = trainKind();
  for (const element of by('train').querySelectorAll('[data-kind]')) element.hidden = element.dataset.kind !== kind;
  by('train-files').accept = kind === 'images' ? '.jpg,.jpeg,.png,.webp,.zip,.json,.csv' : '.csv,.tsv,.jsonl,.txt,.zip,.gz,.json';
  by('train-model').placeholder = kind === 'images' ? 'dresses' : 'films';
}

for (const choice of document.querySelectorAll('[name=train-kind]')) choice.addEventListener('change', showTrainKind);
showTrainKind();

by('train-form').addEventListener('submit', event => {
  event.preventDefault();
  const name = by('train-model').value, kind = trainKind(), files = [...by('train-files').files, ...(kind === 'images' ? by('train-folder').files : [])], bar = by('train-progress'), place = by('train-answer');
  place.replaceChildren();
  act(event.submitter, place, async () => {
    const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
    let before = 0;
    bar.hidden = files.length === 0;
    try {
      for (const file of files) {
        await upload(`/api/datasets/${kind}/${encodeURIComponent(name)}/files/${placeOf(file)}`, file, loaded => { bar.value = (before + loaded) / total; });
        before += file.size;
        bar.value = before / total;
      }
    } finally {
      bar.hidden = true;
    }
    const run = await (await call('POST', `/api/datasets/${kind}/${encodeURIComponent(name)}/train`)).json();
    place.replaceChildren(make('p', { class: 'note' }, active(run) ? `Run ${run.run} is under way.` : `Nothing new: run ${run.run} ${run.state} with these files and settings.`));
    followed = active(run) ? run.run : null;
    by('train-files').value = by('train-folder').value = '';
    await showRuns();
  });
});

// ---- Runs

const duration = seconds => seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
const badges = { queued: 'busy', running: 'busy', succeeded: 'good', failed: 'bad', cancelled: '', suspended: '' };
let runsShown = '', anyActive = false, followed = null;

/** Tells beside the form how the run that it started has ended. */
function showOutcome(runs) {
  const run = runs.find(r => r.run === followed);
  if (!run || active(run)) return;
  followed = null;
  by('train-answer').replaceChildren(run.state === 'succeeded'
    ? make('p', { class: 'note' }, `Run ${run.run} succeeded: version ${run.version}${run.promoted ? ', which serves now' : ', not promoted'}. ${run.gate ?? ''}`)
    : run.error ? problemBox({ code: run.error.code, detail: run.error.message })
      : make('p', { class: 'note' }, `Run ${run.run} was ${run.state}.`));
}

async function showRuns() {
  const { runs } = await get('/api/runs');
  const wasActive = anyActive;
  anyActive = runs.some(active);
  showOutcome(runs);
  if (wasActive && !anyActive) await showModels();
  const text = JSON.stringify(runs);
  if (text === runsShown) return;
  runsShown = text;
  if (runs.length === 0) {
    by('runs').replaceChildren(make('p', { class: 'hint' }, 'No run yet.'));
    return;
  }
  const open = new Set([...by('runs').querySelectorAll('details[open]')].map(details => details.id));
  by('runs').replaceChildren(make('table', { class: 'stack' },
    make('thead', {}, make('tr', {}, ['Run', 'State', 'What', 'Refused', ''].map(title => make('th', { scope: 'col' }, title)))),
    make('tbody', {}, runs.slice(0, 50).map(runRow))),
  ...(runs.length > 50 ? [make('p', { class: 'hint' }, `${runs.length - 50} older runs are at /api/runs.`)] : []));
  for (const id of open) if (by(id)) by(id).open = true;
}

function runRow(run) {
  const known = run.total > 0;
  const stage = run.stage && [stages[run.stage] ?? run.stage, run.unit ? ` · ${run.done.toLocaleString('en')}${known ? ` of ${run.total.toLocaleString('en')}` : ''} ${run.unit}` : known ? ` · ${run.done} of ${run.total}` : '',
    Number.isInteger(run.secondsLeft) ? ` · ${duration(run.secondsLeft)} left` : ''].join('');
  return make('tr', {},
    make('td', { class: 'name' }, run.run, make('br'), make('span', { class: 'hint' }, new Date(run.startedAt).toLocaleString())),
    make('td', {}, make('span', { class: `badge ${badges[run.state] ?? ''}` }, run.state)),
    make('td', { class: 'words' },
      active(run) && (stage ? [make('div', {}, stage), make('progress', { max: known ? run.total : 1, value: known ? run.done : undefined, 'aria-label': stages[run.stage] ?? run.stage })] : 'waiting'),
      suspended(run) && make('span', {}, `stopped for now${run.stage ? ` at: ${stages[run.stage] ?? run.stage}` : ''}`),
      run.error && make('span', {}, `${run.error.code} · ${run.error.message}`),
      run.version && make('span', {}, `${run.version} `, run.promoted ? '' : make('span', { class: 'badge' }, 'not promoted')),
      run.gate && make('div', { class: 'hint' }, run.gate),
      run.warnings?.length > 0 && make('details', { id: `warnings-${run.run}` }, make('summary', {}, count(run.warnings.length, 'warning', 'warnings')), make('ul', { class: 'neighbours' }, run.warnings.map(w => make('li', {}, w))))),
    make('td', { class: 'number' }, run.refused > 0
      ? make('button', { type: 'button', class: 'quiet', 'aria-label': `Refused rows of ${run.run}`, onclick: event => act(event.currentTarget, by('runs'), () => save(run.run)) }, [count(run.refused, 'row', 'rows'), make('span', { class: 'only-narrow' }, ' refused')]) : make('span', { class: 'not-narrow' }, '–')),
    make('td', {}, (active(run) || suspended(run)) && make('div', { class: 'row' },
      active(run) && changeButton(run, 'Suspend', 'POST', '/suspend'), suspended(run) && changeButton(run, 'Resume', 'POST', '/resume'), changeButton(run, 'Cancel', 'DELETE', '', `Cancel ${run.run}?`))));
}

function changeButton(run, title, method, address, question) {
  return make('button', { type: 'button', class: 'quiet', 'aria-label': `${title} ${run.run}`, onclick: event => {
    if (!question || confirm(question)) act(event.currentTarget, by('runs'), async () => { await call(method, `/api/runs/${encodeURIComponent(run.run)}${address}`); await showRuns(); });
  } }, title);
}

async function save(run) {
  const blob = await (await call('GET', `/api/runs/${encodeURIComponent(run)}/rejects.csv`)).blob();
  const address = URL.createObjectURL(blob);
  make('a', { href: address, download: `${run}-rejects.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// ---- Uploads

const outcomes = { recorded: 'run', known: 'trained before', endedBefore: 'not tried again', refused: 'refused' };
let datasetsShown = '';

/** Refused drops and files that were not read, where the person who dropped them looks for a run that never came. */
async function showDatasets() {
  const { datasets, strays } = await get('/api/datasets');
  const text = JSON.stringify([datasets, strays]);
  if (text === datasetsShown) return;
  datasetsShown = text;
  by('uploads').hidden = datasets.length + strays.length === 0;
  const open = new Set([...by('datasets').querySelectorAll('details[open]')].map(details => details.id));
  datasets.sort((a, b) => (b.lastArrival.outcome === 'refused') - (a.lastArrival.outcome === 'refused') || b.lastArrival.at.localeCompare(a.lastArrival.at));
  by('datasets').replaceChildren(
    ...strays.map(s => make('div', { class: 'problem', role: 'alert' }, `${s.container}: ${count(s.total, 'upload lies', 'uploads lie')} in no model's folder, so nothing becomes of ${s.total === 1 ? 'it' : 'them'}.`,
      make('ul', { class: 'neighbours' }, s.uploads.map(upload => make('li', {}, upload))), s.total > s.uploads.length && `… and ${s.total - s.uploads.length} more`)),
    ...(datasets.length ? [make('table', { class: 'stack' },
      make('thead', {}, make('tr', {}, ['Folder', 'State', 'What'].map(title => make('th', { scope: 'col' }, title)))),
      make('tbody', {}, datasets.map(datasetRow)))] : []));
  for (const id of open) if (by(id)) by(id).open = true;
}

function datasetRow({ kind, model, lastArrival: arrival }) {
  return make('tr', {},
    make('td', { class: 'name' }, `${kind}/${model}`, make('br'), make('span', { class: 'hint' }, new Date(arrival.at).toLocaleString())),
    make('td', {}, make('span', { class: `badge ${arrival.outcome === 'refused' ? 'bad' : ''}` }, outcomes[arrival.outcome] ?? arrival.outcome)),
    make('td', { class: 'words' },
      arrival.refusal && make('span', {}, `${arrival.refusal.code} · ${arrival.refusal.fact} ${arrival.refusal.remedy}`),
      arrival.run && make('span', {}, arrival.run),
      !arrival.refusal && make('div', { class: 'hint' }, arrival.pinned === arrival.files ? count(arrival.files, 'file', 'files') : `${count(arrival.files, 'file', 'files')}, ${arrival.pinned} read`),
      arrival.warnings.length > 0 && make('details', { id: `arrival-${kind}-${model}` }, make('summary', {}, count(arrival.warnings.length, 'warning', 'warnings')), make('ul', { class: 'neighbours' }, arrival.warnings.map(w => make('li', {}, w))))));
}

// ---- Keeping it current

async function showHealth() {
  const place = by('health');
  try {
    const health = await (await fetch('/healthz', { cache: 'no-store' })).json();
    place.textContent = health.status === 'ok' ? 'all is well' : `degraded: ${health.faults.join(', ')}`;
  } catch {
    place.textContent = 'the server does not answer';
  }
}

async function refreshAll() {
  showHealth();
  for (const [show, place] of [[showModels, by('models')], [showRuns, by('runs')], [showDatasets, by('datasets')]]) {
    try {
      await show();
    } catch (fault) {
      if (!(fault instanceof Refused)) throw fault;
      if (fault.status === 401) return;
      place.replaceChildren(problemBox(fault));
      modelsShown = runsShown = datasetsShown = '';
    }
  }
}

let beats = 0;
setInterval(() => {
  if (document.hidden || by('key-dialog').open || locked) return;
  beats++;
  if (beats % 5 === 0) refreshAll();
  else if (anyActive) showRuns().catch(() => { /* the next full refresh says it */ });
}, 2000);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refreshAll(); });
refreshAll();
