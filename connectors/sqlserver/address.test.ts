import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { serverAddress } from './address.ts';

const problem = (text: string): GridError => {
  try {
    serverAddress(text);
  } catch (error) {
    if (error instanceof GridError) return error;
  }
  throw new Error(`accepted: ${text}`);
};

describe('HISTORY_MSSQL_URL', () => {
  it('is read as a URL, with what is percent-encoded decoded', () => {
    const address = serverAddress(
      'mssql://sa:Power%40Grid%2F1@db.example:14330/grid%20history?encrypt=true&trustServerCertificate=true',
    );
    expect(address.config).toMatchObject({
      server: 'db.example',
      port: 14330,
      user: 'sa',
      password: 'Power@Grid/1',
      database: 'grid history',
      options: { encrypt: true, trustServerCertificate: true },
    });
    expect(address.shown).toBe('db.example:14330/grid history');
  });

  it('encrypts and checks the certificate where nothing else is said', () => {
    const { config } = serverAddress('mssql://sa:secret@localhost/history');
    expect(config).toMatchObject({ port: 1433, options: { encrypt: true, trustServerCertificate: false } });
  });

  it('knows no encryption, strict encryption, instances, domains and read-only replicas', () => {
    expect(serverAddress('mssql://a:b@h/d?encrypt=false').config.options?.encrypt).toBe(false);
    expect(serverAddress('mssql://a:b@h/d?encrypt=strict').config.options?.encrypt).toBe('strict');
    expect(serverAddress('mssql://a:b@h/d?instanceName=SQLEXPRESS').shown).toBe('h\\SQLEXPRESS/d');
    expect(serverAddress('mssql://a:b@h/d?domain=GRID').config.domain).toBe('GRID');
    expect(serverAddress('mssql://a:b@h/d?applicationIntent=ReadOnly').config.options?.readOnlyIntent).toBe(true);
    expect(serverAddress('sqlserver://a:b@[::1]:1433/d').config.server).toBe('::1');
  });

  it('is read as an ADO connection string', () => {
    const { config, shown } = serverAddress(
      'Server=tcp:db.example,14330;Database=history;User Id=sa;Password=s;cret;Encrypt=false;TrustServerCertificate=true'.replace(
        's;cret',
        "'s;cret'",
      ),
    );
    expect(config).toMatchObject({
      server: 'db.example',
      port: 14330,
      database: 'history',
      user: 'sa',
      password: 's;cret',
      options: { encrypt: false, trustServerCertificate: true },
    });
    expect(shown).toBe('db.example:14330/history');
  });

  it.each([
    ['', 'empty'],
    ['postgresql://a:b@h/d', 'postgresql://'],
    ['mssql://', 'URL'],
    ['mssql://h/d', 'names no user'],
    ['mssql://a:%zz@h/d', 'percent-encoded'],
    ['mssql://a:b@h:99999/d', 'URL'],
    ['mssql://a:b@h/d?encrypt=maybe', 'encrypt is neither'],
    ['mssql://a:b@h/d?encrpt=true', 'encrpt'],
    ['localhost', 'neither a URL'],
    ['Database=history;User Id=sa;Password=topsecret', 'names no Server'],
    ['Server=h;Database=history;Password=topsecret', 'names no User Id'],
  ])('refuses %j and says why', (text, reason) => {
    const error = problem(text);
    expect(error.code).toBe('invalid-configuration');
    expect(error.message).toContain(reason);
  });

  it('never shows the password', () => {
    for (const text of [
      'mssql://sa:topsecret@h/d?encrypt=maybe',
      'mssql://sa:topsecret@h:99999/d',
      'Database=history;User Id=sa;Password=topsecret',
      'Server=h;Password="topsecret;User Id=sa',
    ]) {
      expect(problem(text).message).not.toContain('topsecret');
    }
    expect(serverAddress('mssql://sa:topsecret@h/d').shown).not.toContain('topsecret');
  });
});
