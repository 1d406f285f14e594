using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Failover.ItemRecord;
using Failover.LocalHost.Processes;

namespace Failover.Testing;

/// <summary>A DynamoDB engine in a process of its own, as LocalHost runs it.</summary>
public sealed class TestEngine : IAsyncDisposable
{
    private readonly Undertaker _undertaker;
    private readonly LocalHost.Engines.Engine _engine;
    private bool _ended;

    private TestEngine(Undertaker undertaker, LocalHost.Engines.Engine engine) => (_undertaker, _engine) = (undertaker, engine);

    /// <summary>Where it listens.</summary>
    public Uri Address => _engine.Address;

    /// <param name="command">Another engine than LocalHost's own, see <see cref="Peer.DynamoDbLocal"/>.</param>
    public static async Task<TestEngine> StartAsync(string? command = null)
    {
        var undertaker = new Undertaker();
        return new TestEngine(undertaker, await LocalHost.Engines.Engine.StartAsync(undertaker, command, CancellationToken.None));
    }

    /// <summary>Makes a table and gives its name: one of its own where none is given.</summary>
    public async Task<string> TableAsync(string hash, string? range = null, string? name = null)
    {
        name ??= "T" + Guid.NewGuid().ToString("N");
        await _engine.CreateTableAsync(name, hash, range, stream: false, CancellationToken.None);
        return name;
    }

    /// <summary>A client, through a network that may lose things.</summary>
    public IAmazonDynamoDB Client(LossyNetwork? network = null) => new WatchedDynamoDbClient(new AmazonDynamoDBConfig
    {
        DefaultAWSCredentials = new BasicAWSCredentials("local", "local"),
        ServiceURL = Address.ToString(),
        AuthenticationRegion = "us-east-1",
        MaxErrorRetry = network?.SdkRetries ?? 1,
        HttpClientFactory = network,
    });

    /// <summary>Ends the engine; a test may do so itself, to see what then fails.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_ended)
        {
            _ended = true;
            await _engine.DisposeAsync();
            _undertaker.Dispose();
        }
    }
}

/// <summary>What happens to one request.</summary>
public enum Loss
{
    /// <summary>It never arrives.</summary>
    Request,

    /// <summary>It is lost on its way, and arrives just before the next write.</summary>
    Late,

    /// <summary>The engine says that it is too much.</summary>
    Throttled,

    /// <summary>It takes effect, and its answer is lost.</summary>
    Answer,

    /// <summary>It takes effect, and the answer never comes: the connection hangs.</summary>
    Hang,
}

/// <summary>A network that loses chosen requests or answers, by the order of the writes that pass it.</summary>
public sealed class LossyNetwork(int sdkRetries, params Loss?[] losses) : HttpClientFactory
{
    private readonly Loss?[] _losses = losses;
    private int _writes;
    private int _reads;
    private HttpRequestMessage? _late;

    /// <summary>How often the SDK tries again by itself.</summary>
    public int SdkRetries => sdkRetries;

    /// <summary>How many writes were tried.</summary>
    public int Writes => _writes;

    /// <summary>How many items were read.</summary>
    public int Reads => _reads;

    /// <summary>Run after a write that is lost, or whose answer is.</summary>
    public Func<Task>? AfterLoss { get; set; }

    /// <inheritdoc/>
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(this));

    /// <inheritdoc/>
    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;

    private sealed class Handler(LossyNetwork network) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var operation = request.Headers.GetValues("X-Amz-Target").Single();
            var isWrite = operation.EndsWith(".PutItem", StringComparison.Ordinal);
            if (operation.EndsWith(".GetItem", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref network._reads);
            }

            var index = isWrite ? Interlocked.Increment(ref network._writes) - 1 : int.MaxValue;
            var loss = index < network._losses.Length ? network._losses[index] : null;
            if (loss == Loss.Request)
            {
                await (network.AfterLoss?.Invoke() ?? Task.CompletedTask);
                throw new HttpRequestException("The request was lost.");
            }

            if (loss == Loss.Throttled)
            {
                return new HttpResponseMessage(System.Net.HttpStatusCode.BadRequest)
                {
                    Content = new StringContent("""{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"Too fast."}""", new System.Net.Http.Headers.MediaTypeHeaderValue("application/x-amz-json-1.0")),
                    RequestMessage = request,
                };
            }

            if (isWrite && network._late is { } late)
            {
                network._late = null;
                (await base.SendAsync(late, cancellationToken)).Dispose();
            }

            if (loss == Loss.Late)
            {
                network._late = await CopyAsync(request, cancellationToken);
                throw new HttpRequestException("The request was lost.");
            }

            var response = await base.SendAsync(request, cancellationToken);
            if (loss is null)
            {
                return response;
            }

            if (network.AfterLoss is { } after)
            {
                await after();
            }

            if (loss == Loss.Hang)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            throw new HttpRequestException("The answer was lost.", new IOException());
        }

        private static async Task<HttpRequestMessage> CopyAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Content = new ByteArrayContent(await request.Content!.ReadAsByteArrayAsync(cancellationToken)) };
            foreach (var (name, values) in request.Headers.Concat(request.Content.Headers).Where(header => header.Key != "Content-Length"))
            {
                _ = copy.Headers.TryAddWithoutValidation(name, values) || copy.Content.Headers.TryAddWithoutValidation(name, values);
            }

            return copy;
        }
    }

}
