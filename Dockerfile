# One image for every role. The build stage makes the page; the image itself has neither tldraw's packages nor build tools.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without peers: @tldraw/store names React as one, and only the page uses it.
RUN npm ci --omit=dev --legacy-peer-deps && npm cache clean --force

COPY main.ts instance.ts ./
COPY api-bridge ./api-bridge
COPY core ./core
COPY migrations ./migrations
COPY ops ./ops
COPY web ./web
COPY ws ./ws
COPY --from=build /app/dist ./dist
# The built page contains tldraw, which is under its own licence.
COPY LICENSE ./licenses/boardsync.txt
COPY --from=build /app/node_modules/tldraw/LICENSE.md ./licenses/tldraw.md

# For the embedded database only: with DATABASE_URL nothing is kept here.
RUN mkdir /data && chown node:node /data
VOLUME /data

# A HOST that others can reach needs ADMIN_KEY: without it the server says so and exits.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Without tsx, which `npm start` needs for Node 20: this image's Node runs TypeScript itself, from 22.18 on. The flags:
# docs/ARCHITECTURE.md, "Measured".
CMD ["node", "--no-allocation-site-pretenuring", "--max-semi-space-size=16", "main.ts"]
