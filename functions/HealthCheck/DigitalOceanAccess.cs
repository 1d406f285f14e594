using System.Net;
using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;
using DigitalOcean.API;
using DigitalOcean.API.Exceptions;
using Failover.ControlPlane;

namespace Failover.HealthCheck;

/// <summary>
/// DigitalOcean's client, with a token that is read from an encrypted parameter and read again every quarter of an hour, so that it can be changed; it stands in no environment, log or exception.
/// The client knows no deadlines: each call gets one from outside, and what it still does after that is found by reading.
/// </summary>
public sealed class DigitalOceanAccess(Func<IAmazonSimpleSystemsManagement> parameters, string? parameter, TimeSpan callTimeout, TimeProvider time)
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(15);

    private Access? _last;

    /// <summary>Makes one call within its deadline.</summary>
    /// <exception cref="OperationCanceledException">The deadline is over; the call may still take effect.</exception>
    public async Task<T> CallAsync<T>(Func<IDigitalOceanClient, Task<T>> call, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var client = await ClientAsync(deadline.Token);
        var pending = call(client);
        try
        {
            return await pending.WaitAsync(deadline.Token);
        }
        catch (ApiException refused) when (refused.StatusCode == HttpStatusCode.Unauthorized)
        {
            // It was changed: read it again at the next call.
            _last = null;
            throw;
        }
        finally
        {
            // Nobody waits for what goes on after its deadline; its failure is no one's then.
            _ = pending.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    private async Task<IDigitalOceanClient> ClientAsync(CancellationToken cancellationToken)
    {
        var last = _last;
        if (last is null || time.GetElapsedTime(last.Timestamp) > TokenLifetime)
        {
            var timestamp = time.GetTimestamp();
            try
            {
                // Made once in a quarter of an hour, and only where something of DigitalOcean's is guarded: no other observer pays for it at its start.
                using var ssm = parameters();
                var answer = await ssm.GetParameterAsync(
                    new GetParameterRequest { Name = parameter ?? throw new InvalidOperationException("No parameter with DigitalOcean's token is named."), WithDecryption = true }, cancellationToken);
                var token = answer.Parameter.Value.Trim();
                _last = last = new Access(last?.Token == token ? last.Client : new DigitalOceanClient(token), token, timestamp);
            }
            catch (Exception) when (last is not null && !cancellationToken.IsCancellationRequested)
            {
                // On the day when the parameters cannot be read, the token of a quarter of an hour ago is the one to use.
            }
        }

        return last.Client;
    }

    private sealed class Access(IDigitalOceanClient client, string token, long timestamp)
    {
        public IDigitalOceanClient Client => client;

        public string Token => token;

        public long Timestamp => timestamp;
    }
}
