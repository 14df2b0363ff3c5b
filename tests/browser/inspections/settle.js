// Waits for two frames and for all finite animations.
async () => {
    for (let each = 0; each < 2; each += 1) await new Promise(done => requestAnimationFrame(done));
    const animationsIn = root => [...root.getAnimations(),
        ...[...root.querySelectorAll('*')].flatMap(({shadowRoot}) => shadowRoot ? animationsIn(shadowRoot) : [])];
    // Endless animations have an infinite end time.
    const finite = animationsIn(document).filter(({effect}) => Number.isFinite(effect?.getComputedTiming().endTime ?? 0));
    // A paused animation would never end.
    const limit = new Promise(done => setTimeout(done, 10_000));
    await Promise.race([Promise.allSettled(finite.map(({finished}) => finished)), limit]);
}
